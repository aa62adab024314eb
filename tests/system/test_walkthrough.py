"""The walkthrough of AWS's Jobs Sandbox sample, step by step, with the real AWS CLI: each line
that the sample prints, the board prints, with the same members in the same order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.device_fixture import Device

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{10}"


def shape(sample: str) -> str:
    """Turn a line of the sample into a pattern: times and tokens vary, nothing else does."""
    parts = re.split(f"({UUID}|{TIME})", sample)
    patterns = [re.escape(part) for part in parts]
    patterns[1::2] = [UUID if "-" in part else TIME for part in parts[1::2]]
    return f"^{''.join(patterns)}$"


PENDING_NONE = (
    'get-pending-job-executions result: {"inProgressJobs":[],"queuedJobs":[],'
    '"timestamp":1730746099,"clientToken":"6c5828e4-9a6b-4b07-10d7-9193819b9c88"}'
)
CHANGED_ONE = (
    'Received JobExecutionsChanged event:  {"jobs":{"QUEUED":[{"jobId":"TestJob",'
    '"executionNumber":1,"versionNumber":1,"lastUpdatedAt":1730747114,"queuedAt":1730747114}]},'
    '"timestamp":1730747115}'
)
NEXT_ONE = (
    'Received NextJobExecutionChanged event:  {"execution":{"jobId":"TestJob",'
    '"jobDocument":{"Todo":"Reboot"},"status":"QUEUED","queuedAt":1730747114,'
    '"lastUpdatedAt":1730747114,"versionNumber":1,"executionNumber":1},"timestamp":1730747115}'
)
CHANGED_TWO = (
    'Received JobExecutionsChanged event:  {"jobs":{"QUEUED":[{"jobId":"TestJob",'
    '"executionNumber":1,"versionNumber":1,"lastUpdatedAt":1730747114,"queuedAt":1730747114},'
    '{"jobId":"QuestionableJob","executionNumber":1,"versionNumber":1,'
    '"lastUpdatedAt":1730747777,"queuedAt":1730747777}]},"timestamp":1730747778}'
)
STARTED_ONE = (
    "start-next-pending-job-execution result: "
    '{"clientToken":"686ccb4e-bb55-4032-68c9-5f810556d151","execution":{"jobId":"TestJob","jobDocument":{"Todo":"Reboot"},"status":"IN_PROGRESS",'
    '"queuedAt":1730747114,"startedAt":1730748422,"lastUpdatedAt":1730748422,"versionNumber":2,'
    '"executionNumber":1},"timestamp":1730748422}'
)
PENDING_BOTH = (
    'get-pending-job-executions result: {"inProgressJobs":[{"jobId":"TestJob","executionNumber":1,'
    '"versionNumber":2,"lastUpdatedAt":1730748422,"queuedAt":1730747114,"startedAt":1730748422}],'
    '"queuedJobs":[{"jobId":"QuestionableJob","executionNumber":1,"versionNumber":1,'
    '"lastUpdatedAt":1730747777,"queuedAt":1730747777}],"timestamp":1730748515,'
    '"clientToken":"14e7a359-41d3-e5f1-0b37-353434eeee0f"}'
)
UPDATED = (
    'update-job-execution result: {"clientToken":"47444947-7691-6c94-470f-878795f3462f",'
    '"timestamp":1730748769}'
)
CHANGED_REST = (
    'Received JobExecutionsChanged event:  {"jobs":{"QUEUED":[{"jobId":"QuestionableJob",'
    '"executionNumber":1,"versionNumber":1,"lastUpdatedAt":1730747777,"queuedAt":1730747777}]},'
    '"timestamp":1730748770}'
)
NEXT_TWO = (
    'Received NextJobExecutionChanged event:  {"execution":{"jobId":"QuestionableJob",'
    '"jobDocument":{"Todo":"Delete Root User"},"status":"QUEUED","queuedAt":1730747777,'
    '"lastUpdatedAt":1730747777,"versionNumber":1,"executionNumber":1},"timestamp":1730748770}'
)
CHANGED_NONE = 'Received JobExecutionsChanged event:  {"jobs":{},"timestamp":1730748963}'
NEXT_NONE = 'Received NextJobExecutionChanged event:  {"timestamp":1730748963}'


def test_walkthrough(manual: Device) -> None:
    def create(job_id: str, document: str) -> None:
        words = ("--job-id", job_id, "--targets", manual.made.thing_arn, "--document", document)
        printed = json.loads(manual.aws("iot", "create-job", *words))
        assert printed["jobId"] == job_id
        assert printed["jobArn"].endswith(f":job/{job_id}")

    def typed(command: str, sample: str) -> None:
        assert manual.command(command).status == 0
        manual.expect(shape(sample))

    described = json.loads(manual.aws("iot", "describe-thing", "--thing-name", manual.thing))
    assert described["thingArn"] == manual.made.thing_arn

    # Job Creation
    typed("get-pending-job-executions", PENDING_NONE)
    create("TestJob", '{"Todo":"Reboot"}')
    manual.expect(shape(CHANGED_ONE))
    manual.expect(shape(NEXT_ONE))
    create("QuestionableJob", '{"Todo":"Delete Root User"}')
    manual.expect(shape(CHANGED_TWO))

    # Job Execution
    typed("start-next-pending-job-execution", STARTED_ONE)
    typed("get-pending-job-executions", PENDING_BOTH)
    assert sum("NextJobExecutionChanged" in line for line in manual.lines) == 1
    manual.command("update-job-execution TestJob SUCCEEDED")
    manual.expect(shape(UPDATED))
    manual.expect(shape(CHANGED_REST))
    manual.expect(shape(NEXT_TWO))
    assert manual.result("start-next-pending-job-execution")["execution"]["jobId"] == (
        "QuestionableJob"
    )
    manual.command("update-job-execution QuestionableJob FAILED")
    manual.expect(shape(UPDATED))
    manual.expect(shape(CHANGED_NONE))
    manual.expect(shape(NEXT_NONE))

    # Job Cleanup
    for job_id in ("TestJob", "QuestionableJob"):
        manual.aws("iot", "delete-job", "--job-id", job_id)
    assert manual.result("get-pending-job-executions")["queuedJobs"] == []


def test_start_next_with_nothing_to_do_has_no_execution(manual: Device) -> None:
    assert "execution" not in manual.result("start-next-pending-job-execution")


def test_start_next_twice_returns_the_same_execution(manual: Device) -> None:
    manual.create_job({"Todo": "Reboot"})
    manual.create_job({"Todo": "Reboot"})
    first = manual.result("start-next-pending-job-execution")["execution"]
    second = manual.result("start-next-pending-job-execution")["execution"]
    assert first == second
    assert first["status"] == "IN_PROGRESS"


def test_several_executions_at_once(manual: Device) -> None:
    """The sample's third question: move them to IN_PROGRESS with update-job-execution."""
    jobs = [manual.create_job({"Todo": "Reboot"}) for _ in range(2)]
    queued = manual.result("get-pending-job-executions")["queuedJobs"]
    assert [each["jobId"] for each in queued] == jobs
    for job_id in jobs:
        manual.result(f"update-job-execution {job_id} IN_PROGRESS")
    under_way = manual.result("get-pending-job-executions")["inProgressJobs"]
    assert [each["jobId"] for each in under_way] == jobs
    for job_id in reversed(jobs):
        manual.result(f"update-job-execution {job_id} SUCCEEDED")
    assert [manual.execution(job_id)["status"] for job_id in jobs] == ["SUCCEEDED"] * 2


def test_describe_shows_the_execution(manual: Device) -> None:
    job_id = manual.create_job({"Todo": "Reboot"})
    found = manual.result(f"describe-job-execution {job_id}")["execution"]
    assert (found["jobId"], found["status"]) == (job_id, "QUEUED")
    assert found["jobDocument"] == {"Todo": "Reboot"}


def test_refusals_are_shown_and_explained(manual: Device) -> None:
    def refused(command: str, code: str, *words: str) -> None:
        answer = manual.command(command)
        assert answer.status == 1
        assert f"{command.split()[0]} rejected: {code}: " in "\n".join(answer.lines)
        assert all(word in "\n".join(answer.lines) for word in words)

    job_id = manual.create_job({"Todo": "Reboot"})
    refused("describe-job-execution nosuchjob", "ResourceNotFound", "no such job execution")
    refused(
        f"update-job-execution {job_id} CANCELED", "InvalidStateTransition", "only the service"
    )
    manual.result(f"update-job-execution {job_id} SUCCEEDED")
    refused(f"update-job-execution {job_id} SUCCEEDED", "InvalidStateTransition")
    refused(f"describe-job-execution {job_id}", "TerminalStateReached", "has ended")


def test_wrong_usage_sends_nothing(manual: Device) -> None:
    job_id = manual.create_job({"Todo": "Reboot"})
    for command in (
        "describe-job-execution",
        "update-job-execution",
        f"update-job-execution {job_id}",
        f"update-job-execution {job_id} DONE",
        f"update-job-execution {job_id} SUCCEEDED now",
        "nonsense",
    ):
        answer = manual.command(command)
        assert answer.status == 2, answer
        assert re.match("usage: |unknown command: ", answer.lines[-1]), answer
    assert manual.execution(job_id)["versionNumber"] == 1


def test_commands_beyond_the_sample(manual: Device) -> None:
    def lines(command: str) -> list[str]:
        answer = manual.command(command)
        assert answer.status == 0
        return answer.lines

    job_id = manual.create_job({"Todo": "Reboot"})
    manual.expect("NextJobExecutionChanged")
    assert f"{job_id} QUEUED" in lines("jobs")
    assert any(line.startswith("led: GPIO2") for line in lines("pins"))
    status = "\n".join(lines("status"))
    assert "link: online" in status
    assert f"thing: {manual.thing}" in status
    assert "executor: off" in status
    assert any("link: ready" in line for line in lines("log"))
    helped = "\n".join(lines("help"))
    assert all(name in helped for name in ("get-pending-job-executions", "quit", "executor"))


def test_executor_switch_is_kept_across_resets(make_device: Callable[..., Any]) -> None:
    device = make_device()
    device.result("executor off")
    device.board.reset()
    device.expect("link: ready")
    assert "executor: off" in "\n".join(device.command("status").lines)
    job_id = device.create_job({"operation": "gpio", "pin": "led", "action": "on"})
    device.expect("NextJobExecutionChanged")
    assert device.execution(job_id)["status"] == "QUEUED"
    device.result("executor on")
    assert device.ended(job_id)["status"] == "SUCCEEDED"


def test_quit_disconnects_and_leaves_the_repl(manual: Device) -> None:
    manual.close()
    with manual.board.line() as line:
        line.send(b"\rquit\r")
        line.read_until(b"Ctrl-D starts the sandbox again")
        line.send(b"\rprint(6*7)\r")
        line.read_until(b"42")
        line.send(b"\x04")
        line.read_until(b"link: ready")
