"""The console for programs: commands from the command line or from standard input.

Results go to stdout, the board's log and remarks to stderr; the exit status is the board's for the
first command that failed.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable

from host_tools.console.protocol import DONE, Answer, Line
from host_tools.console.session import Session
from host_tools.errors import ToolError
from host_tools.output import result, say

_LEAVING = ("exit",)
_COMMENT = "#"


def drop(_line: Line) -> None:
    """Show nothing: what belongs to a command is in its answer."""


def run_commands(session: Session, commands: list[str], *, timeout_s: float, as_json: bool) -> int:
    """Let the board do each of `commands`, and print what it answers, the log left out.

    As JSON: {"command", "status", "lines", "result"}, one object a line.
    """
    first_failure = DONE
    for command in commands:
        answer = _ask(session, command, timeout_s)
        if as_json:
            result(json.dumps(answer.as_dict(), ensure_ascii=False))
        else:
            for line in answer.lines:
                result(line)
        first_failure = first_failure or answer.status
    return first_failure


class Output:
    """Prints the board's lines as they come: its log to stderr, everything else to stdout.

    `log_is_result`: the command under way is `log`, whose answer looks like the log.
    """

    def __init__(self) -> None:
        self.log_is_result = False
        self._lock = threading.Lock()

    def show(self, line: Line) -> None:
        """Print one line."""
        with self._lock:
            if (line.log_level and not self.log_is_result) or line.is_boot_noise:
                say(line.text)
            else:
                result(line.text)


def run_script(session: Session, output: Output, lines: Iterable[str], *, timeout_s: float) -> int:
    """Do commands line by line until the input, or the application on the board, ends.

    Empty lines and those that begin with # are skipped; `exit` ends the script.
    """
    first_failure = DONE
    for line in lines:
        command = line.strip()
        if not command or command.startswith(_COMMENT):
            continue
        if command in _LEAVING:
            break
        session.wait_until_ready(timeout_s)
        output.log_is_result = command.split()[0] == "log"
        answer = session.command(command, timeout_s)
        output.log_is_result = False
        first_failure = first_failure or answer.status
        if command == "quit":
            session.wait_until_ended()
            break
    return first_failure


def standard_input() -> Iterable[str]:
    """Yield the lines of standard input as they come."""
    while line := sys.stdin.readline():
        yield line


def _ask(session: Session, command: str, timeout_s: float) -> Answer:
    if not command.strip() or "\n" in command or "\r" in command:
        raise ToolError(f"{command!r} is not a command", "--command help")
    session.wait_until_ready(timeout_s)
    answer = session.command(command.strip(), timeout_s)
    is_log = command.split()[0] == "log"
    lines = [each for each in answer.lines if is_log or not Line(each).log_level]
    if command.strip() == "quit":
        session.wait_until_ended()
    return Answer(answer.command, answer.status, lines)
