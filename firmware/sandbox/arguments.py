"""Checks an operation's arguments against its tables, on the board, in little memory.

ARGUMENTS maps a name to a rule, a tuple that begins with the kind:

    ("pin", "gpio", …)          the name of a pin in /board.json, of one of these kinds;
                                "read:input" = an input, too, when the action is read
    ("choice", "on", "off")     one of these strings
    ("int", low, high)          a whole number within the limits; a high that is a string is one of
                                the board's LIMITS
    ("bool",)                   true or false
    ("text", longest)           characters without controls
    ("hex", digits)             so many hexadecimal digits
    ("colour",)                 "#rrggbb"
    ("file",)                   a file in /files
    ("url",)                    http or https; the operation gets it in pieces, a list, since the
                                heap may not have so much room in one place
    ("hosts", most)             host names, in a list

OPTIONAL maps the names that may be absent to what they are then; a limit's name stands for the
limit. ONLY maps a name that is not always allowed to what allows it: another member and its
values, or "pin" and the pin's kind. Absent is also null, "", and an AWS job template's parameter
that nobody has filled in. Members that begin with _ are comments, text.
"""

import sys

from micropython import const

from .errors import JobFailed
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from .board import Board

# What /board.json may say otherwise, under "limits"
LIMITS = {"count": 100, "pulse_ms": 10_000, "duration_s": 3600, "file_bytes": 65_536}
_PARAMETER = const("${aws:iot:parameter:")
_WORD = const("abcdefghijklmnopqrstuvwxyz0123456789")
_PIECE = const(512)
_LONGEST_OPERATION = const(64)


def load(name: str) -> "Any":
    """Return the module of the operation `name`. Raises JobFailed when the board has none."""
    if 0 < len(name) <= _LONGEST_OPERATION and all(c in _WORD or c == "-" for c in name):
        try:
            return borrow("operations." + name.replace("-", "_"))
        except ImportError as error:
            if "sandbox.lent" not in str(error):  # it is there, and imports what is not
                sys.print_exception(error)
    name = name[:_LONGEST_OPERATION]
    raise JobFailed("UNKNOWN_OPERATION", "this board has no operation %s" % name, "REJECTED")


def check(parsed: "Any", board: "Board") -> "Any":
    """Return the steps that `plan` has parsed, with the arguments checked and defaults filled in.
    Uses `parsed` up. Raises JobFailed naming the member and the rule, and ValueError and OSError
    when they are in flash.
    """
    steps = _each(parsed, board)
    return list(steps) if isinstance(parsed, list) else borrow("turning").turn(parsed, steps)


def _each(parsed: "Any", board: "Board") -> "Iterator[tuple[str, dict, int]]":
    count = len(parsed)
    for i in range(count):  # each is let go before the next one is taken
        try:
            yield _step(board, *parsed.pop(0))
        except JobFailed as error:
            where = "steps[%d]: " % i if count > 1 else ""
            raise JobFailed(error.args[0], where + error.args[1], "REJECTED")


def _step(board: "Board", name: str, given: "Any", flags: int) -> "tuple[str, dict, int]":
    return name, _arguments(name, given, board), flags


def _arguments(name: str, given: "dict | list", board: "Board") -> "dict[str, Any]":
    # given are members, or words of a command
    operation = load(name)
    if isinstance(given, list):
        members: "Any" = borrow("words").named(name, operation, given, _is_absent)
        return checked(name, operation, members, board)
    return checked(name, operation, given, board)


def checked(name: str, operation: "Any", given: dict, board: "Board") -> "dict[str, Any]":
    """Return the members as the operation's tables have them. Raises JobFailed."""
    table = operation.ARGUMENTS
    optional = getattr(operation, "OPTIONAL", {})
    only = getattr(operation, "ONLY", {})
    for member in given:
        if member[:1] == "_" and not isinstance(given[member], str):
            raise JobFailed(
                "INVALID_ARGUMENT", "%s.%s must be text" % (name, member[:64]), "REJECTED"
            )
        if member not in table and member[:1] != "_" and member != "operation":
            raise JobFailed(
                "INVALID_ARGUMENT", "%s: unknown member %s" % (name, member[:64]), "REJECTED"
            )
    result = {}
    for member, rule in table.items():
        where = name + "." + member
        value: "Any" = given.get(member)
        if not _is_absent(value):
            _check(where, rule, value, given, board)
            if member in only:
                _check_allowed(where, only[member], given, board)
            if rule[0] == "url":
                value = [value[i : i + _PIECE] for i in range(0, len(value), _PIECE)]
        elif member in optional:
            value = optional[member]
            if rule[0] == "int" and isinstance(value, str):
                value = _limit(board, value)
        else:
            raise JobFailed("INVALID_ARGUMENT", where + " is missing", "REJECTED")
        result[member] = value
    return result


def _is_absent(value: "Any") -> bool:
    # whether a member's value means that it is not given
    return value in (None, "") or (isinstance(value, str) and value.startswith(_PARAMETER))


def _limit(board: "Board", name: "int | str") -> int:
    # a limit of this board, or the number that stands in its place
    return name if isinstance(name, int) else board.limits.get(name, LIMITS[name])


def _check(where: str, rule: tuple, value: "Any", given: dict, board: "Board") -> None:
    kind = rule[0]
    if kind == "pin":
        _check_pin(where, rule, value, given, board)
        return
    if kind == "choice":
        good, what = value in rule[1:], "one of " + ", ".join(rule[1:])
    elif kind == "int":
        high = _limit(board, rule[2])
        good = isinstance(value, int) and not isinstance(value, bool) and rule[1] <= value <= high
        what = "a whole number from %d to %d" % (rule[1], high)
    elif kind == "bool":
        good, what = isinstance(value, bool), "true or false"
    else:
        good, what = borrow("rules").judge(rule, value)
    if not good:
        raise JobFailed("INVALID_ARGUMENT", "%s must be %s" % (where, what), "REJECTED")


def _check_pin(where: str, rule: tuple, value: "Any", given: dict, board: "Board") -> None:
    if not isinstance(value, str):
        raise JobFailed("INVALID_ARGUMENT", where + " must be the name of a pin", "REJECTED")
    fitting = [
        name
        for name, pin in board.pins.items()
        if pin.get("kind", "gpio") in rule
        or (given.get("action") == "read" and "read:" + pin.get("kind", "") in rule)
    ]
    if value not in fitting:
        names = ", ".join(sorted(fitting)) or "no pin for it"
        raise JobFailed("UNKNOWN_PIN", "%s: this board has %s" % (where, names), "REJECTED")


def _check_allowed(where: str, rule: tuple, given: dict, board: "Board") -> None:
    value: "Any" = given.get(rule[0])
    if rule[0] == "pin":
        value = board.pins.get(value, {}).get("kind")
    if value not in rule[1:]:
        what = (where, rule[0], " or ".join(rule[1:]))
        raise JobFailed("INVALID_ARGUMENT", "%s is for %s %s only" % what, "REJECTED")
