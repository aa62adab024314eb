"""Fault buttons of a virtual board, kept in its `faults.json`, where the stand-ins look them up.

- `wifi`: "no-ap", "wrong-password", "no-dhcp" (no connection comes about) or "drop" (it is lost);
- `ntp`: "unreachable" (ntptime times out), or a number of seconds for the answer to be wrong by;
- `flash_cut`: {"at": operation number, "torn": bool}, power fails at that write or erase;
- `flash_full`: True, writes and erases fail for want of space;
- `link`: {"frozen": True}, {"delay_s": …} or {"dribble": True}, as `pipe.Conditions` has them.

`until` holds the Unix time at which a fault of that name ends by itself; `cuts` counts how often
the link has been cut.
"""

from __future__ import annotations

import struct
import time
from typing import Any

from host_tools.board.files import BoardFiles, read_json, write_json
from host_tools.errors import UsageError

WIFI = ("no-ap", "wrong-password", "no-dhcp", "drop")
_NAMES = ("wifi", "ntp", "flash_cut", "flash_full", "link")
_TO_2000 = 946_684_800  # seconds from 1970 to 2000


def press(files: BoardFiles, name: str, value: Any, for_s: float | None = None) -> None:
    """Make a fault happen from now on, or for some seconds. Raises UsageError for one that does
    not exist.
    """
    if name not in _NAMES or (name == "wifi" and value not in WIFI):
        raise UsageError(f"There is no fault {name} = {value!r}.", f"one of {', '.join(_NAMES)}")
    faults = read_json(files.faults)
    until = {**faults.get("until", {}), name: time.time() + for_s if for_s else None}
    write_json(files.faults, {**faults, name: value, "until": until})


def release(files: BoardFiles, name: str | None = None) -> None:
    """Let one fault go, or all of them."""
    faults = read_json(files.faults)
    kept = {"cuts": faults["cuts"]} if "cuts" in faults else {}
    if name:
        faults.pop(name, None)
        kept = faults
    write_json(files.faults, kept)


def pressed(files: BoardFiles) -> dict[str, Any]:
    """Return the faults that are in effect."""
    faults = read_json(files.faults)
    ends = {name: end for name, end in faults.get("until", {}).items() if end}
    now = time.time()
    return {
        name: faults[name] for name in _NAMES if name in faults and now < ends.get(name, now + 1)
    }


def left_s(files: BoardFiles, name: str) -> float | None:
    """Return for how many seconds a fault goes on by itself, None for one without an end."""
    until = read_json(files.faults).get("until", {}).get(name)
    return max(until - time.time(), 0.0) if until else None


def cut_link(files: BoardFiles) -> None:
    """Reset every TCP connection that the board has, once."""
    faults = read_json(files.faults)
    write_json(files.faults, {**faults, "cuts": faults.get("cuts", 0) + 1})


def cuts(files: BoardFiles) -> int:
    """Return how often the link has been cut."""
    return int(read_json(files.faults).get("cuts", 0))


def set_clock(files: BoardFiles, moment: float) -> None:
    """Set the board's clock to a Unix time, as if it had always run so."""
    zero_us = int((time.time() - moment + _TO_2000) * 1e6)
    with files.rtc.open("r+b") as file:  # in place: the board has it open
        file.write(struct.pack("<q", zero_us))


def flash_operations(files: BoardFiles) -> int:
    """Return how many writes and erases the flash has had since it was erased as a whole."""
    count: int = struct.unpack("<q", files.flash_operations.read_bytes())[0]
    return count


def cut_power_at_write(files: BoardFiles, nth: int, *, torn: bool = True) -> int:
    """Cut the power in the `nth` flash operation from now (1 = the next); returns its number.

    With `torn`, the first half of it reaches the flash, otherwise nothing of it. It happens once.
    """
    at = flash_operations(files) + nth
    press(files, "flash_cut", {"at": at, "torn": torn})
    return at
