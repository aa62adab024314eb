"""Why a serial port cannot be used: absent, not permitted, busy and with whom, or gone."""

from __future__ import annotations

import contextlib
import grp
import os
import sys
from pathlib import Path

from host_tools.errors import ToolError

_SUPERVISOR = "host_tools.board.supervisor"
_LONGEST = 60


class GoneError(ToolError):
    """The port is no longer there."""


def cannot_open(device: str, label: str) -> ToolError:
    """Return the error that tells why `device` cannot be opened."""
    path = Path(device)
    if not path.exists():
        return ToolError(
            f"there is no {label}: {device} does not exist",
            "plug it in with a cable that carries data; `jobs-sandbox ports` lists them",
        )
    if not os.access(device, os.R_OK | os.W_OK):
        return ToolError(f"no permission to use {device}", _permission_hint(path))
    holders = _holders(path)
    by = f" by {', '.join(holders)}" if holders else " by another program"
    return ToolError(f"{device} is in use{by}", "end that program, or close its connection")


def has_gone(device: str, label: str) -> GoneError:
    """Return the error for a board that vanished while it was used."""
    return GoneError(
        f"the {label} is gone: {device} was unplugged, reset or switched off",
        "plug it in and deploy again: what was there still is, the rest is done then",
    )


def _permission_hint(path: Path) -> str:
    if sys.platform == "darwin":
        return f"ls -l {path}, and the rights of the user who must use it"
    try:
        group = grp.getgrgid(path.stat().st_gid).gr_name
    except (KeyError, OSError):
        group = "dialout"
    return f"sudo usermod -a -G {group} $USER, then log out and in again"


def _holders(path: Path) -> list[str]:
    # Linux tells by /proc, of the user's own processes at least.
    wanted = path.resolve()
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.readlink() == wanted and link.parts[2] != str(os.getpid()):
                found.add(link.parts[2])
    named = [(_program(process), process) for process in sorted(found, key=int)]
    return [f"`{program}` (process {process})" for program, process in named if program]


def _program(process: str) -> str:
    # As it was typed, more or less; "" for a virtual board's own side of the line
    try:
        words = Path("/proc", process, "cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return "?"
    if _SUPERVISOR in words:
        return ""
    if words[1:3] == ["-m", "host_tools"]:
        words = ["jobs-sandbox", *words[3:]]
    elif len(words) > 1 and Path(words[1]).is_absolute():  # an interpreter and a script
        words = words[1:]
    text = " ".join(" ".join([Path(words[0]).name, *words[1:]]).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
