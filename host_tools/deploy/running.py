"""Talks to the application on the board: is it there, is it up to date, is it connected.

Uses the console's machine mode: byte 0x1e turns it on, answered by a line `0x1e ready VERSION
BOARD THING N`, N being how many commands from before are still to be answered; 0x1f turns it off;
each command is answered by its output and a line `0x1e STATUS`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from host_tools.errors import ToolError
from host_tools.target import Target

_MACHINE, _PERSON = b"\x1e", b"\x1f"
_READY = re.compile(r"\x1eready \S+ \S+ (\S+)(?: ([0-9]+))?")
_STATUS = re.compile(r"^\x1e([0-9])$")
_FILE = re.compile(r"^([0-9a-f]{64}|-) (/.+)$")
_PROMPT = ">>> "
_LINK_READY = re.compile(r"^I \d+\.\d+ link: ready$")
_LINK_ONLINE = re.compile(r"^link: online for ")
_LOG_LINE = re.compile(r"^([EWID]) \d+\.\d+ \w+: ")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HELLO_S, _HELLO_AGAIN_S = 2.0, 0.6  # an application that works answers in milliseconds
_ASK_EVERY_S = 2.0
_HASHING_S = 10.0  # longest silence while the board hashes its files
_SHOWN_LINES = 12
_ANSWER_S = 5.0
_POLL_S = 0.02


class Application:
    """The application on a board, through its open serial port."""

    def __init__(self, serial: Any, target: Target) -> None:
        self._serial = serial
        self._target = target
        self._rest = ""
        self._earlier = 0  # commands from before that the board still answers
        self.lines: list[str] = []

    def find(self) -> str | None:
        """Return the thing that the running application is, None without one.

        Leaves it in machine mode.
        """
        begun = time.monotonic()
        ask_at = begun
        while time.monotonic() < begun + _HELLO_S:
            if time.monotonic() >= ask_at:  # again, since what is sent during a reset is lost
                # the REPL ignores the first of the two and prompts at the second
                self._serial.write(_MACHINE + b"\r")
                ask_at += _HELLO_AGAIN_S
            thing = None
            for line in self._read():
                if found := _READY.search(line):
                    thing, self._earlier = found[1], int(found[2] or 0)
                else:
                    self._status(line)
            if thing or self.at_prompt:
                return thing
        return None

    @property
    def at_prompt(self) -> bool:
        """Whether the last that came is MicroPython's prompt."""
        return self._rest.endswith(_PROMPT)

    def ask(self, command: str, timeout_s: float = _ANSWER_S) -> tuple[list[str], str]:
        """Return the lines and the status that answer a command; ToolError if it takes too long.

        The application must be in machine mode, as `find` leaves it.
        """
        self._serial.write(command.encode() + b"\r")
        lines: list[str] = []
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for line in self._read():
                is_ours = not self._earlier
                if status := self._status(line):
                    return lines, status
                if is_ours:
                    lines.append(line)
        self._earlier += 1
        raise self._failure(f"the board does not answer {command!r}")

    def files(self) -> dict[str, str] | None:
        """Return path → SHA-256 of the files on the board ("" for a folder), undisturbed.

        None if the application cannot tell: it has no command `files`, or does not answer.
        """
        self._serial.write(b"files\r")
        found: dict[str, str] = {}
        deadline = time.monotonic() + _HASHING_S
        while time.monotonic() < deadline:
            for line in self._read():
                if each := _FILE.match(line):
                    found[each[2]] = each[1].strip("-")
                elif (status := self._status(line)) and (found or status != "0"):
                    return found if status == "0" else None
        return None

    def _status(self, line: str) -> str:
        # the status of the command that was asked, "" if this is none, or an earlier one's
        status = _STATUS.match(line)
        if status and self._earlier:
            self._earlier -= 1
            return ""
        return status[1] if status else ""

    def release(self) -> None:
        """Leave machine mode, so that a person finds the console as usual."""
        self._serial.write(_PERSON)

    def wait_until_connected(
        self,
        timeout_s: float,
        show: Callable[[str], None],
        *,
        just_started: bool,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Wait until the application says that it is connected and subscribed.

        It says so of itself only when it has just started; otherwise, or if its log is set to
        less, it is asked. `show` gets each line of the board's log, `tick` is called all the time.
        Raises ToolError with the last lines if it ends or does not connect in time.
        """
        begun = time.monotonic()
        ask_at = begun + (_ASK_EVERY_S if just_started else 0)
        while time.monotonic() < begun + timeout_s:
            tick()
            for line in self._read():
                if _LOG_LINE.match(line):
                    show(line)
                if _LINK_READY.match(line) or _LINK_ONLINE.match(line):
                    self.release()
                    return
            if self.at_prompt:
                raise self._failure("the application on the board has ended")
            if time.monotonic() >= ask_at:
                self._serial.write(_MACHINE + b"status\r")
                ask_at += _ASK_EVERY_S
        self.release()
        raise self._failure(f"the board did not connect within {round(timeout_s)} s")

    def _read(self) -> list[str]:
        waiting = self._serial.in_waiting
        if not waiting:
            time.sleep(_POLL_S)
            return []
        content = self._serial.read(waiting)
        text = self._rest + _ANSI.sub("", content.decode(errors="replace"))
        *lines, self._rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = [line.removeprefix("> ") for line in lines if line.strip("> ")]
        self.lines += lines
        return lines

    def _failure(self, message: str) -> ToolError:
        last = [line for line in self.lines if not line.startswith(("\x1e", "link: "))]
        words = "\n".join("    " + line for line in last[-_SHOWN_LINES:])
        advice = [line.partition("try: ")[2] for line in last if "link: try: " in line]
        return ToolError(
            f"{message}; its last words:\n{words or '    (none)'}",
            advice[-1] if advice else self._next_step(),
        )

    def _next_step(self) -> str:
        if not self._target.lasts:
            return "the endpoint, the certificate, and what its policy allows"
        return f"{self._target.command('console')}, to watch it"
