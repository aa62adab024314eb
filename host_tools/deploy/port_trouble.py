"""Why a serial port cannot be used: absent, not permitted, busy and with whom, or gone."""

from __future__ import annotations

import contextlib
import grp
import os
import sys
from pathlib import Path

from host_tools.errors import ToolError


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
                name = Path("/proc", link.parts[2], "comm").read_text().strip()
                found.add(f"{name} (process {link.parts[2]})")
    return sorted(found)
