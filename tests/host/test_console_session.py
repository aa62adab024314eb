"""The conversation with boards that do not run the sandbox as they should: real MicroPython, other
programs on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from host_tools.console import Session
from host_tools.console.protocol import Line
from host_tools.console.session import State
from host_tools.errors import ToolError
from host_tools.target import Target
from tests.board_fixture import Board, eventually
from tests.host.console_peer import peer_program

# A stand-in for the application that does wrong what the real one does not: it leaves out the
# status of `slow`, resets the board at `reset`, and ends at `crash`.
PEER = peer_program(r"""
if line == 'reset':
    machine.reset()
if line == 'crash':
    raise RuntimeError('ended')
if line and line != 'slow':
    print('done ' + line)
    print('\x1e0')
""")


class Listener:
    """Keeps what a session shows."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.notes: list[str] = []

    @contextmanager
    def session(self, board: Board, *, start: bool = False) -> Iterator[Session]:
        target = Target(board.device, board)
        with Session(target, self.show, self.notes.append) as session:
            session.open(may_start=lambda: start)
            yield session

    def show(self, line: Line) -> None:
        self.lines.append(line.text)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def peer(make_board: Callable[..., Board]) -> Board:
    """A board that runs PEER."""
    board = make_board()
    board.put(main_py=PEER)
    board.reset()
    return board


def refusal(listener: Listener, board: Board, *, start: bool = False) -> ToolError:
    with pytest.raises(ToolError) as caught, listener.session(board, start=start):
        pass
    return caught.value


def test_repl_is_told_from_the_sandbox(listener: Listener, board: Board) -> None:
    error = refusal(listener, board)
    assert "is at the MicroPython REPL" in error.message
    assert f"`jobs-sandbox console --start --board {board.name}`" in error.hint


def test_board_without_the_sandbox(listener: Listener, board: Board) -> None:
    error = refusal(listener, board, start=True)
    assert "there is no sandbox on the virtual board" in error.message
    assert "jobs-sandbox deploy" in error.hint


def test_sandbox_that_ends_at_once_tells_why(listener: Listener, board: Board) -> None:
    board.put(main_py="import missing_module")
    error = refusal(listener, board, start=True)
    assert "ended at once" in error.message
    assert "no module named 'missing_module'" in error.message


def test_board_left_in_the_raw_repl(listener: Listener, board: Board) -> None:
    with board.line() as line:
        line.send(b"\r\x01")
        line.read_until(b"raw REPL; CTRL-B to exit\r\n>")
    assert "is at the MicroPython REPL" in refusal(listener, board).message


def test_board_that_says_nothing(listener: Listener, board: Board) -> None:
    board.put(main_py="import time\nwhile True:\n    time.sleep(1)")
    board.reset()
    assert refusal(listener, board).message.endswith("is silent")


def test_board_that_runs_something_else(listener: Listener, board: Board) -> None:
    board.put(main_py="import time\nwhile True:\n    print('tick')\n    time.sleep(0.1)")
    board.reset()
    error = refusal(listener, board)
    assert "does not run the sandbox; it says:" in error.message
    assert "    tick" in error.message


def test_port_is_ours_alone(listener: Listener, peer: Board) -> None:
    with listener.session(peer):
        assert "is in use" in refusal(Listener(), peer).message


def test_board_that_goes_before_it_is_greeted(listener: Listener, peer: Board) -> None:
    session = Session(Target(peer.device, peer), listener.show, listener.notes.append)
    peer.stop()
    with pytest.raises(ToolError, match="is gone"), session:
        session.open(may_start=lambda: False)


def test_command_is_answered(listener: Listener, peer: Board) -> None:
    with listener.session(peer) as session:
        assert session.command("one", 60).lines == ["done one"]
        assert session.command("two", 60).lines == ["done two"]


def test_answer_that_does_not_come(listener: Listener, peer: Board) -> None:
    expected = pytest.raises(ToolError, match=r"did not answer `slow` within 0\.3 s")
    with listener.session(peer) as session, expected:
        session.command("slow", 0.3)


def test_answer_to_an_earlier_command_that_comes_with_the_greeting(
    listener: Listener, make_board: Callable[..., Board]
) -> None:
    board = make_board()
    greets = r"print('\x1eready 1 peer t' + late); late = ''"
    program = PEER.replace(r"print('\x1eready 1 peer t')", greets)
    board.put(main_py=r"late = ' 1\nlate\n\x1e0'" + program)
    board.reset()
    with listener.session(board) as session:
        assert session.command("one", 60).lines == ["done one"]
    assert "of an earlier command: late" in listener.notes


def test_reset_under_a_command(listener: Listener, peer: Board) -> None:
    with listener.session(peer) as session:
        with pytest.raises(ToolError, match="`reset` was not answered"):
            session.command("reset", 60)
        assert session.wait_until_ready(60)
        assert session.command("again", 60).lines == ["done again"]
    assert listener.notes == ["the board restarts", "connected again: Jobs Sandbox 1 on peer"]


def test_application_that_ends_can_be_started_again(listener: Listener, peer: Board) -> None:
    ended: list[bool] = []
    with listener.session(peer) as session:
        session.on_end = lambda: ended.append(True)
        with pytest.raises(ToolError, match=r"was not answered: the sandbox .* has ended"):
            session.command("crash", 60)
        session.wait_until_ended()
        eventually(lambda: ended)
        assert "RuntimeError: ended" in listener.lines
        with pytest.raises(ToolError, match="`more` was not sent"):
            session.command("more", 60)
        session.restart()
        assert session.command("more", 60).lines == ["done more"]


def test_board_that_is_switched_off_and_on(listener: Listener, peer: Board) -> None:
    with listener.session(peer) as session:
        peer.stop()
        eventually(lambda: session.state is State.GONE)
        with pytest.raises(ToolError, match=r"`x` was not sent: the virtual board .* is gone"):
            session.command("x", 60)
        peer.start(bound=True)
        assert session.wait_until_ready(60)
        assert session.command("x", 60).lines == ["done x"]
    assert listener.notes[0].endswith("is gone; waiting for it to come back")


def test_leaving_does_not_wait_for_the_board(listener: Listener, peer: Board) -> None:
    with listener.session(peer) as session:
        peer.stop()
        eventually(lambda: session.state is State.GONE)
        begun = time.monotonic()
    assert time.monotonic() - begun < 3
