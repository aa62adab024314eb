"""A list in flash, of anything that JSON can hold: of a long document, only one step is in the
heap. Loaded for one; `turning` makes one of another.
"""

import gc
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Records:
    """What lies in the file `path` from each of `starts` to the next NUL, which is where json.load
    of MicroPython stops (extmod/modjson.c, S_EOF). Reading raises ValueError if it is not JSON.
    """

    def __init__(self, path: str, starts: "list[int]") -> None:
        self.path = path
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> "Any":
        gc.collect()  # so that a long text finds its room in one piece
        with open(self.path, "rb") as file:
            file.seek(self._starts[number])
            return json.load(file)

    def pop(self, number: int) -> "Any":
        """Read one that is then no longer in the list."""
        value = self[number]
        del self._starts[number]
        return value
