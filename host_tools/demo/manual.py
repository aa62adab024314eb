"""The walkthrough of the AWS sample, step by step: the executor is off, we do its work by hand.

Source: README of the sample `jobs-sandbox` of the AWS IoT Device SDK for C++ v2.
"""

from __future__ import annotations

from typing import Any

from host_tools.demo.aws_cli import AwsCli
from host_tools.demo.board_view import BoardView
from host_tools.demo.stage import Stage

_CHANGED, _NEXT = "JobExecutionsChanged", "NextJobExecutionChanged"
_CLI = "(the real one, led to the local IoT Core as `jobs-sandbox cloud env` tells a shell)"
_FIRST_DOCUMENT = {"Todo": "Reboot"}
_SECOND_DOCUMENT = {"Todo": "Delete Root User"}


class Walkthrough:
    """`first` and `second` are the job ids: TestJob and QuestionableJob, if they are free."""

    def __init__(
        self, stage: Stage, board: BoardView, aws: AwsCli, thing: str, first: str, second: str
    ) -> None:
        self._stage = stage
        self._board = board
        self._aws = aws
        self._thing = thing
        self._arn = ""
        self._first, self._second = first, second

    def run(self) -> None:
        """Do all of it. Raises DemoError at the first thing that is not as the sample says."""
        self._nothing_yet()
        self._find_thing()
        self._create_first()
        self._create_second()
        self._start_first()
        self._look()
        self._finish_first()
        self._start_second()
        self._finish_second()
        self._delete_both()

    def _nothing_yet(self) -> None:
        self._stage.step("Manual mode: we do the jobs by hand. Nothing is pending on a new thing")
        lines = self._board.command("executor off")
        self._stage.require("the executor", lines, ["executor: off"])
        self._pending([], [])

    def _find_thing(self) -> None:
        self._stage.step("The AWS CLI plays the operator: it needs the thing's ARN")
        self._stage.say(_CLI)
        answer = self._aws.iot("describe-thing", "--thing-name", self._thing)
        self._stage.require("the thing", answer["thingName"], self._thing)
        self._arn = answer["thingArn"]

    def _create_first(self) -> None:
        self._stage.step("The operator makes a job; two events tell the board")
        self._create(self._first, '{"Todo":"Reboot"}')
        self._changed_to(queued=[self._first])
        self._next_is(self._first, _FIRST_DOCUMENT)

    def _create_second(self) -> None:
        self._stage.step("A second job: one event only, since the next job is still the first")
        self._create(self._second, '{"Todo":"Delete Root User"}')
        self._changed_to(queued=[self._first, self._second])

    def _start_first(self) -> None:
        self._stage.step("The board starts the next job: it is now IN_PROGRESS, without any event")
        self._start(self._first, _FIRST_DOCUMENT)

    def _look(self) -> None:
        self._stage.step("One job is in progress, one is queued")
        self._pending([self._first], [self._second])

    def _finish_first(self) -> None:
        self._stage.step("The work is done (let us say): an answer and two events")
        self._update(self._first, "SUCCEEDED")
        self._changed_to(queued=[self._second])
        self._next_is(self._second, _SECOND_DOCUMENT)

    def _start_second(self) -> None:
        self._stage.step("The board starts the other one")
        self._start(self._second, _SECOND_DOCUMENT)

    def _finish_second(self) -> None:
        self._stage.step("That one fails, and nothing is left to do")
        self._update(self._second, "FAILED")
        self._changed_to(queued=[])
        event = self._board.event(_NEXT)
        self._stage.require("the next job", sorted(event), ["timestamp"])

    def _delete_both(self) -> None:
        self._stage.step("Both jobs have ended, so the operator can delete them")
        delete = ("delete-job", "--job-id")
        self._aws.both([*delete, self._first], [*delete, self._second])
        self._pending([], [])
        self._board.no_more()

    def _create(self, job_id: str, document: str) -> None:
        answer = self._aws.iot(
            "create-job", "--job-id", job_id, "--targets", self._arn, "--document", document
        )
        self._stage.require("the job made", answer["jobId"], job_id)

    def _pending(self, in_progress: list[str], queued: list[str]) -> None:
        answer = self._board.ask("get-pending-job-executions")
        found = [_ids(answer["inProgressJobs"]), _ids(answer["queuedJobs"])]
        self._stage.require("jobs in progress, and queued", found, [in_progress, queued])

    def _changed_to(self, *, queued: list[str]) -> None:
        jobs = self._board.event(_CHANGED)["jobs"]
        wanted = {"QUEUED": queued} if queued else {}
        found = {name: _ids(summaries) for name, summaries in jobs.items()}
        self._stage.require("the incomplete executions", found, wanted)

    def _next_is(self, job_id: str, document: dict[str, str]) -> None:
        self._check(self._board.event(_NEXT)["execution"], job_id, document, "QUEUED")

    def _start(self, job_id: str, document: dict[str, str]) -> None:
        answer = self._board.ask("start-next-pending-job-execution")
        self._check(answer["execution"], job_id, document, "IN_PROGRESS")

    def _check(
        self, execution: dict[str, Any], job_id: str, document: dict[str, str], status: str
    ) -> None:
        found = (execution["jobId"], execution["jobDocument"], execution["status"])
        self._stage.require("the execution", found, (job_id, document, status))

    def _update(self, job_id: str, status: str) -> None:
        answer = self._board.ask(f"update-job-execution {job_id} {status}")
        self._stage.require("the answer's members", sorted(answer), ["clientToken", "timestamp"])


def _ids(summaries: list[dict[str, Any]]) -> list[str]:
    return [each["jobId"] for each in summaries]
