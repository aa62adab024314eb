"""`jobs-sandbox console` on a board that runs the firmware: for scripts, and in a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from host_tools import paths
from tests.board_fixture import Board
from tests.device_fixture import Device
from tests.screen import Screen

LIMIT_S = 20
COMMAND = [sys.executable, "-m", "host_tools", "console"]


def run(device: Device, *words: str, script: str = "") -> subprocess.CompletedProcess[str]:
    """Run the console without a terminal."""
    return subprocess.run(
        [*COMMAND, "--board", device.board.name, *words],
        cwd=paths.ROOT,
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def quiet(device: Device) -> Device:
    """A connected device whose serial port is free."""
    device.close()
    return device


class Terminal:
    """The console in a terminal."""

    def __init__(self, board: Board, *words: str) -> None:
        self.child = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], "--board", board.name, *words],
            cwd=str(paths.ROOT),
            encoding="utf-8",
            timeout=LIMIT_S,
            dimensions=(30, 500),
            env={**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1"},  # pexpect does not tell its cursor
        )
        self.seen = ""

    def expect(self, pattern: str) -> str:
        """Wait for a pattern in what the terminal gets; return what came up to its end."""
        self.child.expect(pattern)
        came = str(self.child.before) + str(self.child.after)
        self.seen += came
        return came

    def expect_prompt(self, thing: str) -> None:
        self.expect(re.escape(thing) + ">")

    def type(self, text: str) -> None:
        self.child.send(text)

    def end(self) -> int:
        """Wait for the end of the console; return its exit status."""
        self.child.expect(pexpect.EOF)
        self.seen += str(self.child.before)
        self.child.close()
        return int(self.child.exitstatus)

    def lines(self) -> list[str]:
        """The lines as a person sees them."""
        screen = Screen()
        screen.feed(self.seen)
        return screen.lines


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    """Opens consoles, and closes them at the end of the test."""
    opened: list[Terminal] = []

    def make(device: Device, *words: str) -> Terminal:
        terminal = Terminal(device.board, *words)
        opened.append(terminal)
        return terminal

    yield make
    for terminal in opened:
        terminal.child.close(force=True)


# For scripts


def test_command_prints_its_output_only(quiet: Device) -> None:
    done = run(quiet, "--command", "executor off")
    assert (done.stdout, done.stderr, done.returncode) == ("executor: off\n", "", 0)


def test_exit_status_is_the_board_s(quiet: Device) -> None:
    refused = run(quiet, "-c", "describe-job-execution no-such-job")
    assert refused.stdout.startswith("describe-job-execution rejected: ResourceNotFound: ")
    assert refused.returncode == 1
    wrong = run(quiet, "-c", "describe-job-execution")
    assert (wrong.stdout, wrong.returncode) == ("usage: describe-job-execution <jobId>\n", 2)
    several = run(quiet, "-c", "status", "-c", "nonsense", "-c", "describe-job-execution x")
    assert "unknown command: nonsense" in several.stdout
    assert "describe-job-execution rejected" in several.stdout
    assert several.returncode == 2


def test_json(quiet: Device) -> None:
    done = run(quiet, "--json", "-c", "get-pending-job-executions", "-c", "pins")
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["command"] == "get-pending-job-executions"
    assert (first["status"], first["result"]["queuedJobs"]) == (0, [])
    assert first["lines"][0].startswith("get-pending-job-executions result: {")
    assert "led: GPIO2 off" in second["lines"]
    assert second["result"] is None


def test_events_that_come_meanwhile_are_printed(quiet: Device) -> None:
    assert run(quiet, "-c", "executor off").returncode == 0
    job = quiet.create_job({"operation": "gpio", "pin": "led", "action": "on"})
    done = run(
        quiet, "-c", f"update-job-execution {job} FAILED", "-c", "get-pending-job-executions"
    )
    assert "update-job-execution result: {" in done.stdout
    assert 'Received JobExecutionsChanged event:  {"jobs":{}' in done.stdout
    assert quiet.execution(job)["status"] == "FAILED"


def test_answer_to_an_earlier_command_is_nobody_else_s(quiet: Device) -> None:
    given_up = run(quiet, "--timeout", "0.3", "-c", "run wait,12")
    assert given_up.returncode == 1
    impatient = run(quiet, "--timeout", "0.3", "--json", "-c", "jobs")
    assert impatient.returncode == 1
    assert "it still does an earlier command" in impatient.stderr
    done = run(quiet, "--json", "-c", "jobs")
    answer = json.loads(done.stdout)
    assert (answer["command"], answer["status"]) == ("jobs", 0)
    assert answer["lines"] == ["no incomplete job executions"]


def test_script_on_standard_input(quiet: Device) -> None:
    script = "# a comment\n\nexecutor off\nnonsense\ndescribe-job-execution x\nlog\nexit\nhelp\n"
    done = run(quiet, script=script)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["executor: off", "unknown command: nonsense; help lists the commands"]
    assert any(line.endswith("link: ready") for line in lines)  # what `log` prints is a result
    assert "quit" not in done.stdout
    assert done.returncode == 2


def test_log_goes_to_stderr(quiet: Device) -> None:
    job = {"operation": "gpio", "pin": "led", "action": "on"}
    name = quiet.board.name
    with subprocess.Popen(
        [*COMMAND, "--board", name],
        cwd=paths.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as console:
        assert console.stdin and console.stdout and console.stderr
        console.stdin.write("status\n")
        console.stdin.flush()
        assert console.stdout.readline().startswith("link: online")
        job_id = quiet.create_job(job)
        quiet.ended(job_id)
        assert f"jobs: {job_id} started" in console.stderr.readline()
        output, _ = console.communicate("jobs\n", timeout=LIMIT_S)
    assert "Received NextJobExecutionChanged event:" in output
    assert f"jobs: {job_id}" not in output
    assert console.returncode == 0


def test_quit_ends_the_firmware_and_start_begins_anew(quiet: Device) -> None:
    assert run(quiet, "-c", "quit").returncode == 0
    refused = run(quiet, "-c", "status")
    assert refused.returncode == 1
    assert "is at the MicroPython REPL" in refused.stderr
    assert "--start" in refused.stderr
    started = run(quiet, "--start", "-c", "status")
    assert started.returncode == 0
    assert started.stdout.startswith("link: ")


def test_board_is_left_in_the_manners_for_people(quiet: Device) -> None:
    assert run(quiet, "-c", "status").returncode == 0
    with quiet.board.line() as line:
        line.send(b"pi")
        echo = line.read_until(b"pi")
        assert b"> " in echo
        line.send(b"ns\r")
        line.read_until(b"led: GPIO2 off\r\n")


def test_reader_of_the_output_may_leave(quiet: Device) -> None:
    with subprocess.Popen(
        [*COMMAND, "--board", quiet.board.name, "-c", "help"],
        cwd=paths.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as console:
        assert console.stdout and console.stderr
        console.stdout.close()
        assert console.stderr.read() == ""
        assert console.wait(LIMIT_S) == 1


def test_wrong_use(quiet: Device) -> None:
    assert run(quiet, "--json").returncode == 2
    assert run(quiet, "--timeout", "0", "-c", "status").returncode == 2
    empty = run(quiet, "-c", " ")
    assert (empty.returncode, "is not a command" in empty.stderr) == (2, True)


# In a terminal


def test_typing_is_not_torn_by_events(
    quiet: Device, open_terminal: Callable[..., Terminal]
) -> None:
    terminal = open_terminal(quiet)
    terminal.expect_prompt(quiet.thing)
    terminal.type("executor of")
    terminal.expect("executor of")
    job = quiet.create_job({"operation": "gpio", "pin": "led", "action": "on"})
    quiet.ended(job)
    terminal.expect(r"NextJobExecutionChanged event:  \{\"timestamp\":\d+\}")
    terminal.expect("executor of")  # drawn again below
    terminal.type("f\r")
    terminal.expect("executor: off")
    terminal.expect_prompt(quiet.thing)
    terminal.type("\x04")
    assert terminal.end() == 0
    lines = terminal.lines()
    assert f"{quiet.thing}> executor off" in lines
    events = [line for line in lines if line.startswith("Received ")]
    assert len(events) == 4
    assert all(json.loads(line.partition("event:  ")[2]) for line in events)
    assert lines[-2] == "-- left; the board goes on"


def test_tab_completes_commands_and_known_job_ids(
    manual: Device, open_terminal: Callable[..., Terminal]
) -> None:
    job = manual.create_job({"operation": "reboot"})
    manual.expect("NextJobExecutionChanged")
    manual.close()
    terminal = open_terminal(manual)
    terminal.expect_prompt(manual.thing)
    terminal.type("des\t")
    terminal.expect("cribe-job-execution")
    terminal.type("\t")
    terminal.expect(job)
    terminal.type("\r")
    terminal.expect(r"describe-job-execution result: \{")
    terminal.expect_prompt(manual.thing)
    for word, becomes in (("upd", "ate-job-execution"), ("", job), ("REJ", "ECTED")):
        terminal.type(word + "\t")
        terminal.expect(becomes)
    terminal.type("\r")
    terminal.expect(r"update-job-execution result: \{")
    assert manual.execution(job)["status"] == "REJECTED"
    terminal.type("exit\r")
    assert terminal.end() == 0


def test_history_is_kept_for_its_owner_only(
    quiet: Device, open_terminal: Callable[..., Terminal], sandbox_home: Path
) -> None:
    terminal = open_terminal(quiet)
    terminal.expect_prompt(quiet.thing)
    terminal.type("pins\r")
    terminal.expect("led: GPIO2 off")
    terminal.expect_prompt(quiet.thing)
    terminal.type("\x04")
    assert terminal.end() == 0
    history = sandbox_home / "console_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    again = open_terminal(quiet)
    again.expect_prompt(quiet.thing)
    again.type("\x1b[A\r")
    again.expect("led: GPIO2 off")


def test_reset_is_noticed_and_the_console_goes_on(
    quiet: Device, open_terminal: Callable[..., Terminal]
) -> None:
    terminal = open_terminal(quiet)
    terminal.expect_prompt(quiet.thing)
    job = quiet.create_job({"operation": "reboot"})
    terminal.expect("-- the board restarts")
    terminal.expect("-- connected again: Jobs Sandbox")
    assert quiet.ended(job)["status"] == "SUCCEEDED"
    terminal.expect(f"{job} SUCCEEDED")
    terminal.type("status\r")
    terminal.expect("HARD_RESET")
    terminal.expect_prompt(quiet.thing)
    quiet.board.stop()
    terminal.expect("is gone; waiting for it to come back")
    terminal.type("pins\r")
    terminal.expect("`pins` was not sent")
    quiet.board.start(bound=True)
    terminal.expect("-- connected again")
    terminal.type("pins\r")
    terminal.expect("led: GPIO2 off")


def test_quit_ends_the_console_and_the_repl_is_offered_a_start(
    quiet: Device, open_terminal: Callable[..., Terminal]
) -> None:
    terminal = open_terminal(quiet)
    terminal.expect_prompt(quiet.thing)
    terminal.type("quit\r")
    terminal.expect("quit: disconnected")
    terminal.expect("-- the sandbox on the board has ended")
    assert terminal.end() == 0
    refusing = open_terminal(quiet)
    refusing.expect(r"at the MicroPython REPL. Start the sandbox\? \[Y/n\]")
    refusing.type("n\r")
    assert refusing.end() == 1
    starting = open_terminal(quiet)
    starting.expect(r"Start the sandbox\? \[Y/n\]")
    starting.type("\r")
    starting.expect_prompt(quiet.thing)
    starting.type("status\r")
    starting.expect("link: ")


def test_application_that_ends_under_the_prompt(
    quiet: Device, open_terminal: Callable[..., Terminal]
) -> None:
    terminal = open_terminal(quiet)
    terminal.expect_prompt(quiet.thing)
    Path(quiet.board.device).write_bytes(b"\x03")  # Ctrl-C by somebody else
    terminal.expect("-- the sandbox on the board has ended")
    terminal.expect(r"Start the sandbox\? \[Y/n\]")
    terminal.type("y\r")
    terminal.expect_prompt(quiet.thing)
    terminal.type("pins\r")
    terminal.expect("led: GPIO2 off")


def test_ctrl_c_clears_the_line_and_sigterm_ends_in_order(
    quiet: Device, open_terminal: Callable[..., Terminal]
) -> None:
    terminal = open_terminal(quiet)
    terminal.expect_prompt(quiet.thing)
    terminal.type("quit")
    terminal.expect("quit")
    terminal.type("\x03")
    terminal.expect_prompt(quiet.thing)
    terminal.type("pins\r")
    terminal.expect("led: GPIO2 off")
    terminal.expect_prompt(quiet.thing)
    terminal.child.kill(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    with quiet.board.line() as line:
        line.send(b"pins\r")
        line.read_until(b"> ")
