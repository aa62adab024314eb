"""The console for people at a board that works long, is reset as asked, or talks too much."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pexpect
import pytest

from host_tools import paths
from host_tools.console.protocol import Line
from host_tools.console.screen import Screen
from tests.board_fixture import Board
from tests.host.console_peer import peer_program

COMMAND = [sys.executable, "-m", "host_tools", "console", "--board"]

# A stand-in for the application: `run wait` takes 4 s, `run reboot` resets the board; `talk` is
# followed by an event, a line of the log and a warning.
PEER = peer_program(r"""
if line.startswith('run') and 'reboot' in line:
    machine.reset()
if line == 'run wait':
    print('begun')
    time.sleep_ms(4000)
if line == 'talk':
    print('Received JobExecutionsChanged event:  {"jobs":{}}')
    print('I 1.000 jobs: chatter')
    print('W 1.000 jobs: warning')
if line == 'log':
    print('I 0.500 app: from the log')
if line:
    print('done ' + line)
    print('\x1e0')
""")


@pytest.fixture
def peer(make_board: Callable[..., Board]) -> Board:
    """A board that runs PEER."""
    board = make_board()
    board.put(main_py=PEER)
    board.reset()
    return board


@pytest.fixture
def open_console(peer: Board) -> Iterator[Callable[..., pexpect.spawn]]:
    """Opens the console on a terminal, and closes it at the end."""
    opened: list[pexpect.spawn] = []

    def make(*words: str) -> pexpect.spawn:
        child = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], peer.name, *words],
            cwd=str(paths.ROOT),
            encoding="utf-8",
            timeout=30,
            dimensions=(50, 200),
            env={**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1"},
        )
        opened.append(child)
        child.expect("t>")
        return child

    yield make
    for child in opened:
        child.close(force=True)


def console(board: Board, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, board.name, *words],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_ctrl_c_gives_the_prompt_back_and_the_board_goes_on(open_console) -> None:
    child = open_console()
    child.send("run wait\r")
    child.expect("-- the board works on it; Ctrl-C gives you the prompt meanwhile")
    child.send("\x03")
    child.expect("-- the board goes on with `run wait`, its answer will be shown;")
    child.expect("Ctrl-D or exit leaves")
    child.expect("t>")
    child.send("pins\r")
    child.expect("-- the board still does `run wait`; `pins` comes after it")
    child.expect("done run wait")
    child.expect("done pins")
    child.send("jobs\r")
    child.expect("done jobs")
    child.expect("t>")
    child.send("\x03")
    child.expect("-- Ctrl-D or exit leaves; the board goes on")
    child.send("exit\r")
    child.expect("-- left; the board goes on")
    child.expect(pexpect.EOF)


def test_leaving_tells_what_the_board_goes_on_with(open_console) -> None:
    child = open_console()
    child.send("run wait\r")
    child.expect("the board works on it")
    child.send("\x03")
    child.expect("t>")
    child.send("\x04")
    child.expect("-- left; the board goes on, with `run wait`")
    child.expect(pexpect.EOF)


def test_reboot_as_asked_is_waited_for(open_console) -> None:
    child = open_console()
    child.send("run reboot\r")
    child.expect("-- it reboots as asked; waiting until it is back")
    child.expect("-- connected again: Jobs Sandbox 1 on peer")
    child.expect("t>")
    child.send("pins\r")
    child.expect("done pins")


def test_events_can_be_hidden(open_console) -> None:
    child = open_console("--quiet")
    for switch, says in (("off", "are hidden"), ("on", "are shown; 2 lines were hidden")):
        child.send("talk\r")
        child.expect("W 1.000 jobs: warning")
        assert "chatter" not in str(child.before) and "Received" not in str(child.before)
        child.expect("done talk")
        child.expect("t>")
        child.send(f"events {switch}\r")
        child.expect(f"-- events and log {says}" if switch == "off" else "2 lines were hidden")
        child.expect("t>")
        if switch == "off":
            child.send("log\r")
            child.expect("from the log")
            child.expect("t>")
    child.send("talk\r")
    child.expect("Received JobExecutionsChanged")
    child.expect("chatter")
    child.expect("done talk")
    child.send("events maybe\r")
    child.expect("-- usage: events <on | off>")
    child.send("help\r")
    child.expect(r"  events <on \| off>")


@pytest.mark.parametrize(
    ("events", "quiet", "text", "shown"),
    [
        (True, False, "I 1.000 link: ready", True),
        (False, False, "I 1.000 link: ready", False),
        (False, False, "W 1.000 link: lost", True),
        (False, False, "Received XChanged event:  {}", False),
        (True, True, "Received XChanged event:  {}", True),
        (False, False, "led: GPIO2 off", True),
        (True, True, "led: GPIO2 off", False),
    ],
)
def test_what_the_screen_shows(
    events: bool, quiet: bool, text: str, shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Screen(events=events)
    screen.quiet = quiet
    screen.show(Line(text))
    assert (text in capsys.readouterr().out) is shown


def test_reboot_by_a_script_is_waited_for(peer: Board) -> None:
    done = console(peer, "-c", "run reboot", "-c", "pins")
    assert (done.returncode, done.stdout) == (0, "done pins\n")
    assert "the board reboots, as asked; waiting until it is back" in done.stderr
    done = console(peer, "--json", "-c", 'run {"operation": "reboot"}')
    assert done.returncode == 0 and '"status": 0' in done.stdout


def test_quiet_script_prints_answers_only(peer: Board) -> None:
    assert console(peer, "-c", "talk").stdout.count("Received") == 1
    done = console(peer, "--quiet", "-c", "talk")
    assert (done.returncode, done.stdout) == (0, "done talk\n")


def test_ctrl_c_in_a_script_says_what_the_board_goes_on_with(peer: Board) -> None:
    command = [*COMMAND, peer.name, "-c", "pins", "-c", "run wait"]
    with subprocess.Popen(
        command, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "done pins\n"
        assert child.stdout.readline() == "begun\n"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "jobs-sandbox: interrupted; the board goes on with `run wait`" in said
