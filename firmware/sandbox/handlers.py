"""Documents of the AWS IoT Device Client, which AWS's managed job templates produce: `version` and
`steps[].action`, and the old form, `operation` and `args`. A handler, or a command's first word,
is an operation of this board; its arguments are words.

Not needed here, checked and passed over: `path`, `runAsUser`, `allowStdErr`. Sources:
aws-iot-device-client source/jobs/README.md, JobDocument.cpp; AWS IoT developer guide,
"job-templates-managed".
"""

import os
import sys

from micropython import const

from . import VERSION
from .errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from .board import Board

_OUTPUT = const(2)  # flags of `steps`; that of a failure that does not matter is 1
_MOST = const(20)  # of what a list may hold
_PARAMETER = const("${aws:iot:parameter:")
_ALIAS = {"health-check": "report"}
_WHY = const(
    (
        ("package", "firmware is deployed as a whole, there are no packages"),
        ("service", "there are no services to start or stop"),
        ("shutdown", "a board that is off cannot be reached again"),
        ("", "no operation has this name"),
    )
)

# members and what they must be, ! = and be there
_TOP = const("version text! includeStdOut flag steps steps! finalStep object conditions list")
_STEP = const("action object!")
_ACTION = "name text! type text! input object! runAsUser text allowStdErr number"
_ACTION += " ignoreStepFailure flag"
_HANDLER = const("handler text! args words path text")
_COMMAND = const("command text!")
_OLD = const("operation text! args words path text allowStdErr number includeStdOut flag")
_CONDITION = const("key text! value words! type text")


def parse(document: dict, board: "Board") -> "Iterator[tuple[str, list, int]]":
    """Yield (operation, the words given to it, flags of `steps`) each. Raises JobFailed."""
    if "version" not in document:
        old = _read("document", document, _OLD)
        yield _step([old["operation"]] + old["args"], old["includeStdOut"] * _OUTPUT)
        return
    top = _read("document", document, _TOP)
    for i, condition in enumerate(top["conditions"]):
        where = "conditions[%d]" % i
        _check(where, _read(where, condition, _CONDITION), board)
    output = top["includeStdOut"] * _OUTPUT
    for i in range(len(top["steps"])):
        yield _action("steps[%d]" % i, top["steps"].pop(0), output)
    if top["finalStep"] is not None:
        yield _action("finalStep", top["finalStep"], output)


def _read(where: str, given: "Any", members: str) -> "dict[str, Any]":
    # the members as they must be, those that are absent empty
    if not isinstance(given, dict):
        raise _invalid(where, "an object")
    words = members.split()
    for name in given:
        if name[:1] == "_" and not isinstance(given[name], str):
            raise _invalid("%s.%s" % (where, name[:64]), "text")
        if name not in words[::2] and name[:1] != "_":
            raise _invalid(where, "without the member " + name[:64])
    result = {}
    for i in range(0, len(words), 2):
        name, kind = words[i], words[i + 1]
        value = given.get(name)
        if not _is_absent(value):
            result[name] = _value("%s.%s" % (where, name), kind.rstrip("!"), value)
        elif kind[-1] == "!":
            raise _invalid("%s.%s" % (where, name), kind[:-1])
        else:
            result[name] = _EMPTY.get(kind, "")
    return result


def _action(where: str, given: "Any", output: int) -> "tuple[str, list, int]":
    action = _read(where, given, _STEP)["action"]
    where += ".action"
    action = _read(where, action, _ACTION)
    if action["type"] not in ("runHandler", "runCommand"):
        raise _invalid(where + ".type", "runHandler or runCommand")
    is_command = action["type"] == "runCommand"
    given = _read(where + ".input", action["input"], _COMMAND if is_command else _HANDLER)
    words = _split(given["command"]) if is_command else [given["handler"]] + given["args"]
    return _step(words, output | action["ignoreStepFailure"])


def _step(words: "list[str]", flags: int) -> "tuple[str, list, int]":
    # the operation that the first word names
    name = words[0].rsplit("/", 1)[-1]
    for end in (".sh", ".ps1"):
        if name.endswith(end):
            name = name[: -len(end)]
    name = _ALIAS.get(name, name)
    if not _is_known(name):
        why = next(reason for part, reason in _WHY if part in name)
        raise JobFailed("UNSUPPORTED", "%s: %s" % (name[:64], why), "REJECTED")
    return name, words[1:], flags


def _is_known(name: str) -> bool:
    # whether the board has an operation of this name; it is not loaded
    path = "%s/operations/%s" % (__file__.rsplit("/", 1)[0], name.replace("-", "_"))
    return "_" not in name and (_is_file(path + ".mpy") or _is_file(path + ".py"))


def _is_file(path: str) -> bool:
    # a look at the folder's list would take 2 KB, when there is least
    try:
        os.stat(path)
        return True
    except OSError:
        return False


_EMPTY: "dict[str, Any]" = {"flag": 0, "number": 0, "words": [], "list": [], "object": None}


def _is_absent(value: "Any") -> bool:
    # as `arguments` has it, which is not loaded beside this
    return value in (None, "") or (isinstance(value, str) and value.startswith(_PARAMETER))


def _value(where: str, kind: str, value: "Any") -> "Any":
    if kind == "flag":
        good = value is True or value is False or value in ("true", "false")
        value = int(value is True or value == "true")
    elif kind == "number":
        good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    elif kind == "text":
        good = isinstance(value, str)
    elif kind == "object":
        good = isinstance(value, dict)
    elif kind == "steps":  # `plan` has seen to it
        good = True
    else:
        good = isinstance(value, list) and len(value) <= _MOST
        good = good and (kind == "list" or all(isinstance(word, str) for word in value))
    if not good:
        raise _invalid(where, kind)
    return value


def _split(command: str) -> list[str]:
    # by comma; \, is a comma of the word
    pieces = command.replace("\\,", "\0").split(",")
    return [piece.replace("\0", ",").strip() for piece in pieces]


def _check(where: str, condition: "dict[str, Any]", board: "Board") -> None:
    key, kind = condition["key"], condition["type"] or "stringEqual"
    if kind not in ("stringEqual", "stringNotEqual"):
        raise _invalid(where + ".type", "stringEqual or stringNotEqual")
    fact = {
        "operatingSystem": "micropython",
        "micropython": "%d.%d.%d" % sys.implementation.version[:3],
        "chip": sys.implementation._machine.split()[-1],
        "board": board.name,
        "version": VERSION,
    }.get(key, "unknown here")
    if (fact in condition["value"]) != (kind == "stringEqual"):
        raise JobFailed("CONDITION_NOT_MET", "%s: %s is %s" % (where, key[:64], fact), "REJECTED")


def _invalid(where: str, what: str) -> JobFailed:
    names = {
        "flag": "true or false",
        "number": "a whole number from 0",
        "words": "at most %d strings in a list" % _MOST,
        "list": "a list of at most %d" % _MOST,
    }
    return JobFailed(
        "INVALID_DOCUMENT", "%s must be %s" % (where, names.get(what, what)), "REJECTED"
    )
