"""Makes one list in flash of another (`records`). Loaded for that."""

import json
import os

from .files import STATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

_PARSED = STATE + "/parsed.json"
_CHECKED = STATE + "/checked.json"


def turn(records: "Any", change: "Iterable") -> "Any":
    """Return what `change` makes of the records, which are gone then. Raises OSError when the
    flash is full, and what `change` raises.
    """
    path = _CHECKED if records.path == _PARSED else _PARSED
    starts = []
    with open(path, "wb") as file:
        for each in change:
            starts.append(file.tell())
            json.dump(each, file)
            file.write(b"\0")
            each = None  # before the next one is made
    os.remove(records.path)
    return type(records)(path, starts)
