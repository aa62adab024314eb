"""The fault buttons for people: `jobs-sandbox board fault freeze-link 30s`.

Each button is a name, what it does in words, and which faults it presses.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from host_tools.board import faults
from host_tools.board.files import BoardFiles
from host_tools.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([+-]?\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_IN_THE_MIDDLE = 5  # flash writes from the start of a job to one in its middle


@dataclass(frozen=True)
class Button:
    """`value` names what may follow the button's name, and its default; `press` does it and
    returns the sentence that says what happens until when. `sets`: the fault, as `faults` has it.
    """

    value: str
    what: str
    press: Callable[[BoardFiles, str], str]
    sets: tuple[str, object] = ("", None)


def push(files: BoardFiles, name: str, value: str = "") -> str:
    """Push a button and return what that does. Raises UsageError."""
    if name not in BUTTONS:
        raise UsageError(f"There is no fault {name}.", f"one of {', '.join(BUTTONS)}")
    if value and not BUTTONS[name].value:
        raise UsageError(f"{name} takes no value, not {value!r}.", f"board fault {name}")
    return BUTTONS[name].press(files, value)


def table() -> list[str]:
    """Return a line for each button."""
    rows = {f"{name} {button.value}": button.what for name, button in BUTTONS.items()}
    width = max(map(len, rows))
    return [f"{button:<{width}}  {what}" for button, what in rows.items()]


def in_effect(files: BoardFiles) -> list[str]:
    """Return what is wrong now, a line for each fault, with the time that is left of it."""
    found = []
    for fault, value in faults.pressed(files).items():
        left_s = faults.left_s(files, fault)
        until = f"{left_s:.0f} s more" if left_s is not None else _end(None)
        found.append(f"{_name(fault, value)}, {until}")
    return found


def _name(fault: str, value: object) -> str:
    for name, button in BUTTONS.items():
        if button.sets == (fault, value):
            return f"{name} ({button.what})"
    return "slow-link" if fault == "link" else f"{fault} {json.dumps(value)}"


def seconds(text: str) -> float:
    """Return the seconds in `500ms`, `30s`, `5m`, `1h`, `-2d` or `30`. Raises UsageError."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is not a duration.", "500ms, 30s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2] or "s"]


def _lasting(name: str, setting: object, what: str, default: str = "") -> Button:
    # a state of the world that lasts for a time, or until it is let go

    def press(files: BoardFiles, value: str) -> str:
        for_s = _positive(value or default) if value or default else None
        faults.press(files, name, setting, for_s)
        return f"{what} {_end(for_s)}"

    words = f"[DURATION{f' = {default}' if default else ''}]"
    return Button(words, what.rstrip(","), press, (name, setting))


def _slow(files: BoardFiles, value: str) -> str:
    delay_s = _positive(value or "500ms")
    faults.press(files, "link", {"delay_s": delay_s})
    return f"every byte arrives {delay_s:g} s later, each way, {_end(None)}"


def _clock(files: BoardFiles, value: str) -> str:
    if not value:
        raise UsageError("clock needs a time.", "clock 2000-01-01, clock +1h")
    moment = time.time() + seconds(value) if value[0] in "+-" else _moment(value)
    faults.set_clock(files, moment)
    return f"the clock says {datetime.datetime.fromtimestamp(moment, datetime.UTC):%F %T} UTC now"


def _cut(files: BoardFiles, _value: str) -> str:
    faults.cut_link(files)
    return "every connection of the board is reset, once"


def _kill(files: BoardFiles, _value: str) -> str:
    faults.cut_power_at_write(files, _IN_THE_MIDDLE)
    return "the power fails in the middle of the next job, once"


def _none(files: BoardFiles, _value: str) -> str:
    faults.release(files)
    return "no fault is in effect; a clock that was set stays so until the board asks NTP again"


def _moment(text: str) -> float:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a time.", "2000-01-01, 2030-01-01T12:00, +1h") from None
    return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp()


def _positive(text: str) -> float:
    if (value := seconds(text)) <= 0:
        raise UsageError(f"{text!r} is not a duration.", "more than 0")
    return value


def _end(for_s: float | None) -> str:
    return f"for {for_s:g} s" if for_s else "until `board fault none`"


BUTTONS: dict[str, Button] = {
    "wifi-drop": _lasting("wifi", "drop", "Wi-Fi is lost, and nothing passes,", "5s"),
    "no-ap": _lasting("wifi", "no-ap", "the access point is out of reach"),
    "wrong-password": _lasting("wifi", "wrong-password", "the access point refuses the password"),
    "no-dhcp": _lasting("wifi", "no-dhcp", "nobody gives the board an address"),
    "no-ntp": _lasting("ntp", "unreachable", "no time server answers"),
    "clock": Button("TIME", "the clock is set to a time (2000-01-01, +1h)", _clock),
    "flash-full": _lasting("flash_full", True, "the flash takes no more writes"),
    "freeze-link": _lasting("link", {"frozen": True}, "nothing passes, either way,", "30s"),
    "slow-link": Button("[DELAY = 500ms]", "every byte arrives later, each way", _slow),
    "dribble-link": _lasting("link", {"dribble": True}, "bytes arrive one by one"),
    "cut-link": Button("", "every connection is reset, once", _cut),
    "kill-during-job": Button("", "the power fails in the middle of the next job", _kill),
    "none": Button("", "all faults are let go", _none),
}
