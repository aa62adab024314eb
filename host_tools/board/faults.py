"""Fault buttons of a virtual board, kept in its `faults.json`, where the stand-ins look them up.

- `wifi`: "no-ap", "wrong-password", "no-dhcp" (no connection comes about) or "drop" (it is lost);
- `ntp`: "unreachable" (ntptime times out), or a number of seconds for the answer to be wrong by;
- `flash_cut`: {"at": operation number, "torn": bool}, power fails at that write or erase.
"""

from __future__ import annotations

import struct
from typing import Any

from host_tools.board.files import BoardFiles, read_json, write_json
from host_tools.errors import UsageError

WIFI = ("no-ap", "wrong-password", "no-dhcp", "drop")
_NAMES = ("wifi", "ntp", "flash_cut")


def press(files: BoardFiles, name: str, value: Any) -> None:
    """Make a fault happen from now on. Raises UsageError for one that does not exist."""
    if name not in _NAMES or (name == "wifi" and value not in WIFI):
        raise UsageError(f"There is no fault {name} = {value!r}.", f"one of {', '.join(_NAMES)}")
    write_json(files.faults, {**read_json(files.faults), name: value})


def release(files: BoardFiles, name: str | None = None) -> None:
    """Let one fault go, or all of them."""
    faults = read_json(files.faults) if name else {}
    faults.pop(name or "", None)
    write_json(files.faults, faults)


def pressed(files: BoardFiles) -> dict[str, Any]:
    """Return the faults that are in effect."""
    return read_json(files.faults)


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
