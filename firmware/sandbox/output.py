"""The `stdout` of a job some of whose steps have their results told. Loaded for a step."""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = const(512)


def extend(output: str, name: str, result: "dict[str, Any]", failure: str) -> str:
    """Return `output` with what an operation returned behind it, or how it failed; of what is too
    long, the end.
    """
    texts = [" | " if output else "", name, ":"]
    for each in sorted(result):
        texts += [" ", each, "=", str(result[each])]
    if failure:
        texts += [" ", failure]
    for text in texts:  # one by one: together they may be long
        text = text[-_LONGEST:]
        output = output[max(len(output) + len(text) - _LONGEST, 0) :] + text
    return output
