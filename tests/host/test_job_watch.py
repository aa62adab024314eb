"""What `job run --watch` says of a board that will not run the job."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

import pytest

from host_tools import job_watch, jobs
from host_tools.__main__ import command_parser
from host_tools.cloud.access import Cloud
from host_tools.cloud.aws_errors import TryLaterError
from host_tools.commands import job
from host_tools.console import Session
from host_tools.errors import ToolError
from host_tools.output import time_of_day
from host_tools.target import Target
from tests.board_fixture import Board
from tests.host.console_peer import peer_program

PEER = peer_program(r"""
if line == 'status':
    print('link: %s')
    print('executor: %s')
if line:
    print('\x1e0')
""")


def notes(board: Board) -> list[str]:
    said: list[str] = []
    with job_watch.listening(Target(board.device, board), {}, said.append):
        pass
    return said


def test_nothing_runs_jobs_at_the_repl(board: Board) -> None:
    said = notes(board)
    assert "is at the MicroPython REPL: nothing there runs the job until" in said[0]
    assert f"jobs-sandbox console --start --board {board.name}" in said[1]


def test_the_port_of_a_board_at_the_repl_is_free_for_another_terminal(board: Board) -> None:
    target = Target(board.device, board)
    silent = lambda _what: None  # noqa: E731
    with job_watch.listening(target, {}, silent), Session(target, silent, silent):
        pass


@pytest.mark.parametrize(
    ("link", "executor", "says"),
    [
        ("online for 3 s", "on", ""),
        ("online for 3 s", "off", "the executor is off: nothing there runs a job"),
        ("offline for 9 s", "on", "the board is not connected (offline for 9 s): the job waits"),
    ],
)
def test_what_holds_a_job_up_is_told(
    link: str, executor: str, says: str, make_board: Callable[..., Board]
) -> None:
    board = make_board()
    board.put(main_py=PEER % (link, executor))
    board.reset()
    said = notes(board)
    assert bool(said) == bool(says)
    assert not says or said[0].startswith(says)
    on = f"then `jobs-sandbox console --command 'executor on' --board {board.name}`"
    assert executor == "on" or on in said[0]


def test_a_board_that_is_off_is_told(
    sandbox_home: object, capsys: pytest.CaptureFixture[str]
) -> None:
    args = command_parser("job").parse_args(["run", "report", "--board", "off"])
    assert job._target(args) is None
    said = capsys.readouterr().err
    assert "without the board's log and pins: Virtual board off is not running." in said
    assert "a job for this board waits until it is there: jobs-sandbox board start off" in said


def watched(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], timeout_s: float = 30.0
) -> tuple[dict[str, dict[str, Any]], list[str], list[str]]:
    """Watch a job of a cloud that gives these answers, the last of them for ever."""

    def executions(_cloud: Cloud, _job_id: str) -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"t": {"status": answer}}

    def execution(_cloud: Cloud, _job_id: str, _thing: str) -> Any:
        return {"status": "SUCCEEDED", "statusDetails": {"pin": "led"}}

    monkeypatch.setattr(jobs, "executions", executions)
    monkeypatch.setattr(jobs, "execution", execution)
    monkeypatch.setattr(job_watch, "_POLL_S", 0.001)
    monkeypatch.setattr(job_watch, "_SETTLE_S", 0.001)
    shown: list[str] = []
    said: list[str] = []
    made = job_watch.Watched(Cloud("local", "", ""), "j", "`job watch j`", "`job cancel j`")
    show = lambda moment: shown.append(moment.what)  # noqa: E731
    return job_watch.watch(made, queue.Queue(), show, said.append, timeout_s), shown, said


def test_a_cloud_that_goes_away_is_asked_again_and_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = TryLaterError("no answer from the cloud", "")
    ended, shown, said = watched(monkeypatch, ["QUEUED", gone, gone, gone, "SUCCEEDED"])
    assert ended["t"]["status"] == "SUCCEEDED"
    assert shown == ["t QUEUED", "t SUCCEEDED pin=led"]
    assert said == ["no answer from the cloud; asking again, for at most 30 s"]


@pytest.mark.parametrize(
    ("answer", "cause", "fix"),
    [
        (
            TryLaterError("no answer", "x"),
            "no answer; j goes on",
            "cloud status`, then `job watch",
        ),
        ("QUEUED", "j has not ended within", "`job watch j` watches on, `job cancel j` ends it"),
        (ToolError("there is no job j", "`list`"), "there is no job j", "`list`"),
    ],
)
def test_a_watch_that_is_given_up_names_what_goes_on_watching(
    answer: Any, cause: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ToolError) as caught:
        watched(monkeypatch, [answer], timeout_s=0.01)
    assert cause in caught.value.message and fix in caught.value.hint


def test_time_of_day_never_goes_back() -> None:
    begin = 1_796_000_000
    times = [time_of_day(begin + ms / 10_000) for ms in range(9_990, 10_010)]
    assert times == sorted(times)
    assert times[0].endswith(".999") and times[-1].endswith(".000")
