"""What the local IoT Core refused, and why: the part AWS keeps to itself.

AWS closes the connection without a word when a policy denies something or a limit is passed. The
local one does so, too, but writes each refusal into `refusals.jsonl` (and its log) for the tools
to show.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from host_tools import paths

_LIMIT = 1_000_000
_TAIL = 200_000


@dataclass(frozen=True)
class Refusal:
    """One refusal. `t` is in Unix seconds; what does not apply, or is not known yet, is empty.

    `action` and `resource` are those a policy would have to allow, as in `iot:Subscribe` and
    `topicfilter/$aws/things/lamp/jobs/#`.
    """

    t: float
    rule: str
    reason: str
    client: str = ""
    certificate: str = ""
    action: str = ""
    resource: str = ""

    def __str__(self) -> str:
        who = f"client {self.client!r}: " if self.client else ""
        return f"{time.strftime('%H:%M:%S', time.localtime(self.t))} {who}{self.reason}"


def recent_refusals(limit: int = 20, *, since: float = 0.0, client: str = "") -> list[Refusal]:
    """Return the last refusals since a Unix time, of one client id if given, oldest first."""
    file = _file(paths.cloud_dir())
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _TAIL))
            lines = stream.read().splitlines()
    except OSError:
        return []
    known = [refusal for line in lines if (refusal := _parse(line)) and refusal.t >= since]
    return [refusal for refusal in known if client in ("", refusal.client)][-limit:]


class RefusalLog:
    """Appends refusals; one that repeats within a few seconds is left out."""

    def __init__(self, folder: Path, quiet_s: float = 5.0) -> None:
        self._file = _file(folder)
        self._quiet_s = quiet_s
        self._last: dict[tuple[str, ...], float] = {}
        if self._file.exists() and self._file.stat().st_size > _LIMIT:
            self._file.replace(self._file.with_name("refusals.jsonl.1"))

    def add(self, refusal: Refusal) -> bool:
        """Append it and say whether it was new."""
        key = tuple(str(value) for name, value in vars(refusal).items() if name != "t")
        if refusal.t - self._last.get(key, 0.0) < self._quiet_s:
            return False
        if len(self._last) > 1000:
            self._last.clear()
        self._last[key] = refusal.t
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(refusal)) + "\n")
        return True


def _file(folder: Path) -> Path:
    return folder / "refusals.jsonl"


def _parse(line: bytes) -> Refusal | None:
    try:
        known: dict[str, Any] = json.loads(line)
        return Refusal(**{field.name: known[field.name] for field in fields(Refusal)})
    except (ValueError, KeyError, TypeError):
        return None  # the first line of the tail may be cut
