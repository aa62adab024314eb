"""The console for programs: commands from the command line or from standard input.

Results go to stdout, the board's log and remarks to stderr; the exit status is the board's for the
first command that failed.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable

from host_tools.console.protocol import DONE, Answer, Line
from host_tools.console.session import LostError, Session
from host_tools.errors import ToolError, UsageError
from host_tools.output import result, say

_LEAVING = ("exit",)
_COMMENT = "#"
_QUIT = "quit"


class Output:
    """Prints the board's lines as they come: `log` takes its log, stdout gets everything else.

    `log_is_result`: the command under way is `log`, whose answer looks like the log. Without
    `events`, they are dropped.
    """

    def __init__(self, log: Callable[[str], None] = say, *, events: bool = True) -> None:
        self.log_is_result = False
        self._events = events
        self._log = log
        self._lock = threading.Lock()

    def show(self, line: Line) -> None:
        """Print one line."""
        with self._lock:
            if (line.log_level and not self.log_is_result) or line.is_boot_noise:
                self._log(line.text)
            elif self._events or not line.is_event:
                result(line.text)


def drop(_line: object) -> None:
    """Show nothing."""


def run_commands(
    session: Session, output: Output, commands: list[str], *, timeout_s: float
) -> int:
    """Let the board do each of `commands`; `output` prints what comes meanwhile."""
    first_failure = DONE
    for command in commands:
        answer = _ask(session, output, command, timeout_s)
        first_failure = first_failure or answer.status
    return first_failure


def run_commands_as_json(session: Session, commands: list[str], *, timeout_s: float) -> int:
    """Print each answer as {"command", "status", "lines", "result"}, one object a line."""
    first_failure = DONE
    for command in commands:
        answer = _ask(session, Output(drop), command, timeout_s)
        is_log = _is_log(command)
        lines = [each for each in answer.lines if is_log or not Line(each).log_level]
        shown = Answer(answer.command, answer.status, lines)
        result(json.dumps(shown.as_dict(), ensure_ascii=False))
        first_failure = first_failure or answer.status
    return first_failure


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
        answer = _ask(session, output, command, timeout_s)
        first_failure = first_failure or answer.status
        if command == _QUIT:
            break
    return first_failure


def standard_input() -> Iterable[str]:
    """Yield the lines of standard input as they come."""
    while line := sys.stdin.readline():
        yield line


def _ask(session: Session, output: Output, command: str, timeout_s: float) -> Answer:
    command = command.strip()
    if not command or "\n" in command or "\r" in command:
        raise UsageError(f"{command!r} is not a command", "--command help")
    session.wait_until_ready(timeout_s)
    output.log_is_result = _is_log(command)
    answer = _answer(session, command, timeout_s)
    output.log_is_result = False
    if command == _QUIT:
        session.wait_until_ended()
    return answer


def _answer(session: Session, command: str, timeout_s: float) -> Answer:
    asked = session.send(command)
    try:
        return session.answer(asked, timeout_s)
    except LostError as error:
        if not asked.reboots:
            raise
        say("the board reboots, as asked; waiting until it is back")
        if not session.wait_until_ready(timeout_s):
            raise ToolError(
                f"the {session.label} is not back within {timeout_s:g} s",
                "its reset button, or a longer --timeout",
            ) from error
        return Answer(command, DONE, error.lines)
    except KeyboardInterrupt as interrupt:
        if session.target.lasts:
            interrupt.add_note(f"the board goes on with `{command}`")
        raise


def _is_log(command: str) -> bool:
    return command.split()[:1] == ["log"]
