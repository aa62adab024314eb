"""What `job run --watch` says of a board that will not run the job."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host_tools import job_watch
from host_tools.__main__ import command_parser
from host_tools.commands import job
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
    assert "jobs-sandbox console --start" in said[1]


@pytest.mark.parametrize(
    ("link", "executor", "says"),
    [
        ("online for 3 s", "on", ""),
        ("online for 3 s", "off", "the executor is off: nothing there runs the job"),
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


def test_a_board_that_is_off_is_told(
    sandbox_home: object, capsys: pytest.CaptureFixture[str]
) -> None:
    args = command_parser("job").parse_args(["run", "report", "--board", "off"])
    assert job._target(args) is None
    said = capsys.readouterr().err
    assert "without the board's log and pins: Virtual board off is not running." in said
    assert "a job for this board waits until it is there: jobs-sandbox board start off" in said
