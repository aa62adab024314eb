"""What comes over the serial line, as items. Pure: no port, no time.

The board's console has a machine mode (firmware/sandbox/console.py): RS (0x1e) turns it on and is
answered by a line `RS ready VERSION BOARD THING N`, N being how many commands from before are
still to be answered; each command is answered by its output and a line `RS STATUS`; US (0x1f)
turns it off. At the MicroPython REPL neither is answered.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from typing import Any

MACHINE, PERSON = b"\x1e", b"\x1f"
ENTER, SOFT_RESET, FRIENDLY = b"\r", b"\x04", b"\x02"
DONE, FAILED, WRONG_USAGE = 0, 1, 2

_RS = "\x1e"
_REPL_PROMPT = ">>> "
_EDITOR_PROMPT = "> "
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1d\x1f\x7f-\x9f]")
_READY = re.compile(r"ready (\S+) (\S+) (\S+)(?: ([0-9]+))?")  # older firmware tells no number
_STATUS = re.compile(r"[0-9]+")
_STARTED = re.compile(r"Jobs Sandbox .*\bon (\S+), thing (\S+)\. Type help\.")
_RESETS = re.compile(r"^(?:rst:0x|ets [A-Z][a-z]{2} |ESP-ROM:|MPY: soft reboot)")
_NOISE = re.compile(r"^(?:MicroPython [v0-9a-f]\S* |Type \"help\(\)\" for more information)")
_LOG = re.compile(r"^([EWID]) \d+\.\d{3} \w+: ")
_EVENT = re.compile(r"^Received (\w+) event: +(\{.*\})$")
_RESULT = re.compile(r"^([a-z-]+) result: (\{.*\})$")


@dataclass(frozen=True)
class Line:
    """A line of text, without its end and without control characters."""

    text: str

    @property
    def log_level(self) -> str:
        """E, W, I or D if this is a line of the board's log, else empty."""
        found = _LOG.match(self.text)
        return found[1] if found else ""

    @property
    def is_boot_noise(self) -> bool:
        """Whether this is what chip, MicroPython or sandbox print when they start."""
        return any(each.match(self.text) for each in (_RESETS, _STARTED, _NOISE))

    @property
    def is_event(self) -> bool:
        """Whether this shows an event of one of the two streams."""
        return _EVENT.match(self.text) is not None

    @property
    def content(self) -> tuple[str, Any] | None:
        """(name, JSON value) of an answer's result or an event, None if it is neither."""
        found = _RESULT.match(self.text) or _EVENT.match(self.text)
        try:
            return (found[1], json.loads(found[2])) if found else None
        except ValueError:
            return None


@dataclass(frozen=True)
class Ready:
    """The application has gone into machine mode; `undone` commands, sent before, it has still to
    answer.
    """

    version: str
    board: str
    thing: str
    undone: int = 0


@dataclass(frozen=True)
class Status:
    """A command is done: 0 done, 1 failed or refused, 2 wrong usage."""

    code: int


@dataclass(frozen=True)
class Resetting:
    """The chip or the interpreter has been reset. The line that tells so comes as well."""


@dataclass(frozen=True)
class Started:
    """The application has started, for people. The line that tells so comes as well."""


@dataclass(frozen=True)
class Repl:
    """The MicroPython REPL waits for input: no application runs."""


Item = Line | Ready | Status | Resetting | Started | Repl


@dataclass(frozen=True)
class Answer:
    """A command, its exit status, and what was printed from its start to its end."""

    command: str
    status: int
    lines: list[str] = field(default_factory=list)

    @property
    def result(self) -> Any:
        """The JSON of the line `<command> result: {…}`, None without one."""
        name = self.command.split()[0] if self.command.split() else ""
        for line in self.lines:
            content = Line(line).content
            if content and content[0] == name:
                return content[1]
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "command": self.command,
            "status": self.status,
            "lines": self.lines,
            "result": self.result,
        }


class Decoder:
    """Takes bytes as they come, gives items as they are complete."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[Item]:
        """Return the items that `data` completes."""
        text = self._rest + self._utf8.decode(data)
        *lines, self._rest = text.split("\n")
        items = [item for line in lines for item in _items(line)]
        if _shown(self._rest) == _REPL_PROMPT:
            self._rest = ""
            items.append(Repl())
        return items


def _shown(text: str) -> str:
    # A CR that is not followed by LF begins the line anew, as the editor's redraw does.
    text = _CONTROLS.sub("", _ESCAPES.sub("", text))
    return text.removesuffix("\r").rpartition("\r")[2]


def _items(raw: str) -> list[Item]:
    before, mark, after = raw.partition(_RS)
    items: list[Item] = []
    text = _shown(before)
    if mark and text.startswith(_EDITOR_PROMPT):
        text = ""  # what a person had typed before the machine came
    text = text.removeprefix(_EDITOR_PROMPT)
    while text.startswith(_REPL_PROMPT):
        text = text.removeprefix(_REPL_PROMPT)
    if _RESETS.match(text):
        items.append(Resetting())
    if _STARTED.match(text):
        items.append(Started())
    if text.strip():
        items.append(Line(text.rstrip()))
    if mark:
        items += _marked(_shown(after))
    return items


def _marked(text: str) -> list[Item]:
    if found := _READY.fullmatch(text.strip()):
        version, board, thing, undone = found.groups()
        return [Ready(version, board, thing, int(undone or 0))]
    if _STATUS.fullmatch(text.strip()):
        return [Status(int(text))]
    return [Line(text)] if text.strip() else []
