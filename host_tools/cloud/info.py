"""What is known about a running local IoT Core, and the file that says so.

`running.json` is written by the server itself once HTTP and MQTT both listen, and removed when it
stops in order. Whether a server runs is told by the lock it holds (`lock`), never by that file
alone: a killed server leaves the file behind, and its process id may belong to somebody else by
then.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class CloudInfo:
    """A running local IoT Core. `ca` is the path of a PEM file, `state_dir` holds keys."""

    endpoint_url: str
    mqtt_host: str
    mqtt_port: int
    ca: str
    region: str
    account: str
    pid: int
    state_dir: str

    def as_dict(self) -> dict[str, Any]:
        """Return what `cloud status --json` prints."""
        return asdict(self)


def read(folder: Path) -> CloudInfo | None:
    """Return what `running.json` in `folder` says, or None if it is missing or unreadable."""
    try:
        known = json.loads((folder / "running.json").read_text(encoding="utf-8"))
        return CloudInfo(**{field.name: known[field.name] for field in fields(CloudInfo)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(folder: Path, info: CloudInfo) -> None:
    """Write `running.json`."""
    write_private(folder / "running.json", json.dumps(info.as_dict(), indent=2))


def write_private(file: Path, text: str) -> None:
    """Write a file at once or not at all, readable by its owner only."""
    temporary = file.with_name(file.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    temporary.replace(file)


def remove(folder: Path) -> None:
    """Remove `running.json`, if any."""
    (folder / "running.json").unlink(missing_ok=True)


def take_lock(folder: Path) -> int | None:
    """Take the server's lock and return its descriptor, or None while somebody holds it.

    The lock belongs to the open file, so it passes to a child that inherits the descriptor, and it
    is gone when the last process that has it ends, whatever ended it (flock(2)).
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(folder: Path) -> bool:
    """Say whether a server runs or is being started or stopped."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(
            descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB
        )  # two that ask are not in each other's way
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def running(folder: Path) -> CloudInfo | None:
    """Return the server that runs and is ready, or None."""
    known = read(folder)
    return known if known is not None and is_locked(folder) and _exists(known.pid) else None


def _exists(pid: int) -> bool:
    # While somebody asks for the lock it looks held, so the file must name a live process, too.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
