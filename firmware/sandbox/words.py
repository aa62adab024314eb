"""The words of a command as an operation's arguments; loaded for one."""

from .errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def named(
    name: str, operation: "Any", words: list, is_absent: "Callable[[Any], bool]"
) -> "dict[str, Any]":
    """Return words as members: `count=3`, or by their places. Raises JobFailed."""
    given: "dict[str, Any]" = {}
    places = getattr(operation, "ARGV", ())
    for i, word in enumerate(words):
        member, equals, value = word.partition("=")
        if not equals or member not in operation.ARGUMENTS:
            if i >= len(places):
                if is_absent(word):
                    continue
                what = (name, word[:64])
                raise JobFailed("INVALID_ARGUMENT", "%s: no argument %s" % what, "REJECTED")
            member, value = places[i], word
        kind = operation.ARGUMENTS[member][0]
        if kind == "int" and value[value[:1] == "-" :].isdigit():
            value = int(value)
        elif kind == "bool" and value in ("true", "false"):
            value = value == "true"
        elif kind == "hosts" and value:
            value = value.split(";")
        given[member] = value
    return given
