"""Takes the steps of a long document out of the message that it came in, which lies in flash: they
need not be in the heap together. Loaded for one.

Source: AWS IoT developer guide, "Jobs device MQTT API": the document is in
`execution.jobDocument` of the answers of start-next and describe, and of notify-next.
"""

import gc
import json
import os

from micropython import const

from .files import STATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STEPS = STATE + "/received.json"
_REST = STATE + "/rest.json"
_PATH = [b"execution", b"jobDocument", b"steps"]
_DEPTH = const(3)  # of the object that holds the steps
_PIECE = const(256)
_LONGEST_KEY = const(16)


def load(message: "Any", kept: "Any") -> "Any":
    """Return the JSON in the file `message`. If it has steps, there is null instead; if they are
    to be `kept`, `execution.steps` says where, as `Records` has it.

    Raises ValueError if it is not JSON, and OSError when the flash is full.
    """
    with open(_REST, "wb") as rest, open(_STEPS, "wb") if kept else _Nowhere() as steps:
        starts = _split(message, rest, steps)
    try:
        gc.collect()  # so that a long text finds its room in one piece
        with open(_REST, "rb") as rest:
            whole = json.load(rest)
    finally:
        os.remove(_REST)
    if starts is not None and kept:
        whole["execution"]["steps"] = _STEPS, starts
    return whole


class _Nowhere:
    # Where steps go that nobody will read
    def __enter__(self) -> "_Nowhere":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, _: "Any") -> None:
        pass

    def tell(self) -> int:
        return 0


def _split(message: "Any", rest: "Any", steps: "Any") -> "list[int] | None":
    # Copies what is not steps to `rest`; of JSON, only what is needed for that is looked at
    starts: "Any" = None
    keys, key = [b""] * _DEPTH, bytearray()
    depth, quoted, escaped, begun = 0, False, False, 0
    out = rest
    piece = bytearray(_PIECE)
    while True:
        size = message.readinto(piece)
        if not size:
            return starts
        start = 0  # of what is still to be copied
        for i in range(size):
            c = piece[i]
            if quoted:
                if escaped:
                    escaped = False
                elif c == 0x5C:  # \
                    escaped = True
                elif c == 0x22:  # "
                    quoted = False
                elif depth <= _DEPTH and len(key) < _LONGEST_KEY:
                    key.append(c)
            elif c == 0x22:
                quoted, key = True, bytearray()
            elif c in b"{[":
                depth += 1
                if depth <= _DEPTH:
                    keys[depth - 1] = b""
                elif depth == _DEPTH + 1 and c == 0x5B and keys == _PATH:  # [
                    out.write(memoryview(piece)[start:i])
                    out.write(b"null")
                    out, start, starts = steps, i + 1, []  # of many, the last is the one
                    begun = out.tell()
            elif c in b"}]":
                depth -= 1
                if out is steps and depth == _DEPTH:
                    out.write(memoryview(piece)[start:i])
                    if out.tell() > begun:
                        starts.append(begun)
                    out.write(b"\0")
                    out, start = rest, i + 1
            elif c == 0x3A and depth <= _DEPTH:  # :
                keys[depth - 1] = bytes(key)
            elif out is steps and (c <= 0x20 or (c == 0x2C and depth == _DEPTH + 1)):  # ,
                out.write(memoryview(piece)[start:i])
                start = i + 1
                if c == 0x2C:
                    out.write(b"\0")
                    starts.append(begun)
                    begun = out.tell()
        out.write(memoryview(piece)[start:size])
