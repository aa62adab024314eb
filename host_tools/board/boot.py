"""How a virtual board starts MicroPython: what it is told, and how much heap it gets."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

from host_tools.board.files import BoardFiles
from host_tools.paths import BOARDS

_LAUNCHER = BOARDS / "virtual" / "launcher.py"
_WORD_BYTES = 8 if sys.maxsize > 2**32 else 4
_STAND_IN_KIB = 96
"""KB of 4-byte words that the stand-ins may take; they are C in flash on a real board.

What they leave of it is filled before boot.py runs (boards/virtual/modules/_boot.py, _fill_heap).
"""


@dataclass(frozen=True)
class BoardOptions:
    """What a board is started as. `heap_kib` counts KB, of 4-byte words if `heap_scaled`."""

    name: str
    chip: str
    build: str
    heap: str
    heap_kib: int
    heap_scaled: bool
    micropython: str = ""
    lifeline: int | None = None

    def to_json(self) -> str:
        """Return it for the supervisor's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> BoardOptions:
        """Return what to_json was called on."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Boot:
    """One start of MicroPython: `number` counts them, `cause` is machine.reset_cause()."""

    number: int
    cause: int
    raw_repl: bool
    driven: dict[int, Any]

    def command(self, options: BoardOptions) -> list[str]:
        """Return the command line."""
        total = _heap_bytes(options) + _STAND_IN_KIB * 1024 * _WORD_BYTES // 4
        return [options.micropython, "-i", "-X", f"heapsize={total}", str(_LAUNCHER)]

    def environment(self, options: BoardOptions, files: BoardFiles) -> dict[str, str]:
        """Return what boards/virtual/modules/_hw.py reads; the rest of the host's stays
        outside.
        """
        return {
            "VB_DIR": str(files.folder),
            "VB_CHIP": options.chip,
            "VB_BUILD": options.build,
            "VB_UID": _unique_id(options.name),
            "VB_HEAP": str(_heap_bytes(options)),
            "VB_BOOT": str(self.number),
            "VB_CAUSE": str(self.cause),
            "VB_RAW": "1" if self.raw_repl else "0",
            "VB_PINS": json.dumps(self.driven),
        }


def _heap_bytes(options: BoardOptions) -> int:
    return options.heap_kib * 1024 * (_WORD_BYTES if options.heap_scaled else 4) // 4


def _unique_id(name: str) -> str:
    # a base MAC address under one of Espressif's prefixes, the same for the same name
    return "240ac4" + hashlib.sha256(name.encode()).hexdigest()[:6]
