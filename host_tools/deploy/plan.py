"""What must change on the board: the files wanted against the files there, by SHA-256."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from host_tools import __version__

MANIFEST = "/manifest.json"
BOOT = "/boot.py"
SWITCH = "/switch.txt"  # what is left to do of a switch, firmware/boot.py
STAGED = ".new"  # ends the names of files that are being put there

# Rough, not measured on hardware: scripts and hashes at first; opening, closing, checking a file.
_BEGIN_S, _FILE_S = 1.0, 0.05

# Folders that belong to deploy as a whole: what is in there and not wanted, goes.
FOLDERS = ("/sandbox", "/umqtt", "/credentials")


@dataclass(frozen=True)
class Plan:
    """Paths by what happens to them. Of `changed`, `new` are not on the board, and `staged` lie
    there already under another name, complete.
    """

    changed: list[str]
    new: set[str]
    staged: set[str]
    removed: list[str]
    same: int
    size: int  # bytes to send
    files: dict[str, bytes] = field(repr=False)  # content of `changed` and the manifest

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.changed or self.removed)

    def seconds(self, bytes_per_s: float) -> int:
        """Return about how long it takes on a line of that speed, base64 and checks included."""
        files = len(self.changed) - len(self.staged)
        return round(_BEGIN_S + files * _FILE_S + self.size * 4 / 3 / bytes_per_s)

    def describe(self) -> str:
        """Return it in a line: "2 new, 3 changed, 1 removed, 41 same, 12 KB to send"."""
        numbers = {
            "new": len(self.new),
            "changed": len(self.changed) - len(self.new),
            "removed": len(self.removed),
            "same": self.same,
        }
        words = [f"{number} {what}" for what, number in numbers.items() if number]
        if not self:
            return ", ".join(["nothing to do", *words])
        if self.staged:
            words.append(f"{len(self.staged)} of them sent before")
        return ", ".join([*words, f"{-(-self.size // 1024)} KB to send"])


def manifest(files: dict[str, bytes], abi: int, old: bytes) -> bytes:
    """Return the content of /manifest.json; `old`, the one on the board, if it says the same.

    `built` is now, the time that no clock can be before.
    """
    content = {
        "version": __version__,
        "mpy": abi,
        "built": int(time.time()),
        "files": {name: sha256(files[name]) for name in sorted(files)},
    }
    known = _parsed(old)
    if known | {"built": 0} == content | {"built": 0} and isinstance(known["built"], int):
        return old
    return json.dumps(content, separators=(",", ":")).encode()


def top_level(files: dict[str, bytes], old_manifest: bytes) -> list[str]:
    """Return the files outside FOLDERS that deploy answers for: wanted ones, and earlier ones."""
    listed = _parsed(old_manifest).get("files", {})
    names = {MANIFEST, *files, *(listed if isinstance(listed, dict) else {})}
    top = sorted(name for name in names if name.count("/") == 1)
    return [SWITCH, *top, *(name + STAGED for name in (SWITCH, *top))]


def make(files: dict[str, bytes], found: dict[str, str], old_manifest: bytes, abi: int) -> Plan:
    """Compare `files` with `found`, the board's path → SHA-256 in hex (`""` for a folder)."""
    files = {**files, MANIFEST: manifest(files, abi, old_manifest)}
    changed = {name for name, content in files.items() if found.get(name) != sha256(content)}
    removed = strays(files, found)
    if changed or removed:
        changed.add(MANIFEST)  # why: it is renamed last, and so marks a deploy that was completed
    staged = {name for name in changed if found.get(name + STAGED) == sha256(files[name])}
    # What an earlier deploy has sent is used, or overwritten; the rest of it goes.
    removed = [name for name in removed if name not in {each + STAGED for each in changed}]
    return Plan(
        changed=sorted(changed),
        new={name for name in changed if name not in found},
        staged=staged,
        removed=removed,
        same=len(files) - len(changed),
        size=sum(len(files[name]) for name in changed - staged),
        files={name: files[name] for name in changed},
    )


def strays(files: Iterable[str], found: Iterable[str]) -> list[str]:
    """Return what of `found` is neither one of `files` nor a folder of one, contents first."""
    keep = {*files, MANIFEST}
    folders = {parent for name in keep for parent in _parents(name)}
    removed = [name for name in found if name not in keep | folders]
    return sorted(removed, key=lambda name: (-name.count("/"), name))


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content` in hex."""
    return hashlib.sha256(content).hexdigest()


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(2, len(parts))]


def _parsed(old_manifest: bytes) -> dict[str, Any]:
    try:
        found = json.loads(old_manifest)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
