"""Checks an operation's arguments against its table, on the board, in little memory.

A table maps a name to a rule, a tuple that begins with the kind:

    ("pin",)                    the name of a pin in /board.json
    ("choice", "on", "off")     one of these strings
    ("int", low, high)          a whole number within the limits
    ("int", low, high, 5)       the same, and 5 when it is absent
"""

from .errors import JobRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .board import Board

_DEFAULT_AT = 3


def check(
    operation: str, table: "dict[str, tuple]", given: dict, board: "Board"
) -> "dict[str, Any]":
    """Return the arguments, defaults filled in. Raises JobRejected naming the member and the
    rule.
    """
    for name in given:
        if name not in table:
            raise JobRejected("INVALID_ARGUMENT", "%s: unknown member %s" % (operation, name))
    return {
        name: _checked(operation + "." + name, rule, given.get(name), board)
        for name, rule in table.items()
    }


def _checked(where: str, rule: tuple, value: "Any", board: "Board") -> "Any":
    kind = rule[0]
    if value is None:
        if kind == "int" and len(rule) > _DEFAULT_AT:
            return rule[_DEFAULT_AT]
        raise JobRejected("INVALID_ARGUMENT", where + " is missing")
    if kind == "pin":
        return _pin(where, value, board)
    if kind == "choice" and value not in rule[1:]:
        raise JobRejected(
            "INVALID_ARGUMENT", "%s must be one of %s" % (where, ", ".join(rule[1:]))
        )
    if kind == "int" and (
        not isinstance(value, int) or isinstance(value, bool) or not rule[1] <= value <= rule[2]
    ):
        raise JobRejected(
            "INVALID_ARGUMENT",
            "%s must be a whole number from %d to %d" % (where, rule[1], rule[2]),
        )
    return value


def _pin(where: str, value: "Any", board: "Board") -> str:
    if not isinstance(value, str):
        raise JobRejected("INVALID_ARGUMENT", where + " must be the name of a pin")
    if value not in board.pins:
        raise JobRejected(
            "UNKNOWN_PIN",
            "%s: this board has %s" % (where, ", ".join(sorted(board.pins)) or "no pins"),
        )
    return value
