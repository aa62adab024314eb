"""statusDetails as the service takes them: the one place that makes them so.

Source: botocore iot-jobs-data DetailsMap and CancelJobExecution: at most 10 pairs; keys
`[a-zA-Z0-9:_-]{1,128}`; values of 1 to 1024 characters, none of them a control character.
"""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PAIRS = const(10)
_LONGEST_KEY = const(128)
_LONGEST_VALUE = const(1024)
_DEL = const(0x7F)
_C1_END = const(0xA0)


def clean(details: "dict[str, Any]") -> dict[str, str]:
    """Return `details` as statusDetails: values made strings, what the service forbids replaced or
    cut.
    """
    result: dict[str, str] = {}
    for key, value in details.items():
        if len(result) == _PAIRS:
            break
        result[_clean_key(key)] = _clean_value(value)
    return result


def _clean_key(key: str) -> str:
    # isalpha() of MicroPython is for ASCII only
    letters = [c if c.isalpha() or c.isdigit() or c in ":_-" else "_" for c in key[:_LONGEST_KEY]]
    return "".join(letters) or "_"


def _clean_value(value: "Any") -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    text = text[:_LONGEST_VALUE]
    for c in text:
        if c < " " or _DEL <= ord(c) < _C1_END:
            text = text.replace(c, " ")  # no list of characters: the heap may be nearly full
    return text or "-"
