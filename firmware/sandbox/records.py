"""A list in flash, of anything that JSON can hold: of a long document, only one step is in the
heap. Loaded for one.
"""

import gc
import json
import os

from .files import STATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

_PARSED = STATE + "/parsed.json"
_CHECKED = STATE + "/checked.json"


class Records:
    """What lies in the file `path` from each of `starts` to the next NUL, which is where json.load
    of MicroPython stops (extmod/modjson.c, S_EOF). Reading raises ValueError if it is not JSON.
    """

    def __init__(self, path: str, starts: "list[int]") -> None:
        self._path = path
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> "Any":
        gc.collect()  # so that a long text finds its room in one piece
        with open(self._path, "rb") as file:
            file.seek(self._starts[number])
            return json.load(file)

    def pop(self, number: int) -> "Any":
        """Read one that is then no longer in the list."""
        value = self[number]
        del self._starts[number]
        return value

    def turn(self, change: "Iterable") -> "Records":
        """Return what is made of these records, which are gone then. Raises OSError when the flash
        is full, and what `change` raises.
        """
        path = _CHECKED if self._path == _PARSED else _PARSED
        starts = []
        with open(path, "wb") as file:
            for each in change:
                starts.append(file.tell())
                json.dump(each, file)
                file.write(b"\0")
                each = None  # before the next one is made
        os.remove(self._path)
        return Records(path, starts)
