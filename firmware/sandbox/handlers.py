"""Documents of the AWS IoT Device Client, which AWS's managed job templates produce: `version` and
`steps[].action`, and the old form, `operation` and `args`. A handler, or a command's first word,
is an operation of this board; its arguments are words.

Not needed here, checked and passed over: `path`, `runAsUser`, `allowStdErr`. Sources:
aws-iot-device-client source/jobs/README.md, JobDocument.cpp; AWS IoT developer guide,
"job-templates-managed".
"""

import sys

from micropython import const

from . import VERSION
from .errors import JobRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .board import Board

_OUTPUT = const(2)  # flags of `steps`; that of a failure that does not matter is 1
_MOST_STEPS = const(20)
_ALIAS = {"health-check": "report"}
_WHY = (
    ("package", "firmware is deployed as a whole, there are no packages"),
    ("service", "there are no services to start or stop"),
    ("shutdown", "a board that is off cannot be reached again"),
    ("", "no operation has this name"),
)

# member: what it must be; a ! behind it, that it must be there
_TOP = {
    "version": "text!",
    "includeStdOut": "flag",
    "steps": "a list of 1 to 20!",
    "finalStep": "object",
}
_TOP["conditions"] = "list"
_STEP = {"action": "object!"}
_ACTION = {"name": "text!", "type": "text!", "input": "object!", "runAsUser": "text"}
_ACTION.update({"allowStdErr": "number", "ignoreStepFailure": "flag"})
_INPUTS = {
    "runHandler": {"handler": "text!", "args": "words", "path": "text"},
    "runCommand": {"command": "text!"},
}
_OLD = {"operation": "text!", "args": "words", "path": "text", "allowStdErr": "number"}
_OLD["includeStdOut"] = "flag"
_CONDITION = {"key": "text!", "value": "words!", "type": "text"}


def parse(
    document: dict, board: "Board", load: "Callable", is_absent: "Callable"
) -> "list[tuple[str, dict, int]]":
    """Return the steps as `plan` has them; `load` is its function, `is_absent` that of
    `arguments`. Raises JobRejected.
    """
    reader = _Reader(load, is_absent)
    if "version" not in document:
        old = reader.read("document", document, _OLD)
        return [reader.step([old["operation"]] + old["args"], old["includeStdOut"] * _OUTPUT)]
    top = reader.read("document", document, _TOP)
    output = top["includeStdOut"] * _OUTPUT
    steps = [reader.action("steps[%d]" % i, step, output) for i, step in enumerate(top["steps"])]
    if top["finalStep"]:
        steps.append(reader.action("finalStep", top["finalStep"], output))
    for i, condition in enumerate(top["conditions"]):
        where = "conditions[%d]" % i
        _check(where, reader.read(where, condition, _CONDITION), board)
    return steps


class _Reader:
    def __init__(self, load: "Callable", is_absent: "Callable") -> None:
        self._load = load
        self._is_absent = is_absent

    def read(self, where: str, given: "Any", members: "dict[str, str]") -> "dict[str, Any]":
        # the members as they must be, those that are absent empty
        if not isinstance(given, dict):
            raise _invalid(where, "an object")
        for name in given:
            if name not in members and name[:1] != "_":
                raise _invalid(where, "without the member " + name[:64])
        result = {}
        for name, kind in members.items():
            value = given.get(name)
            if not self._is_absent(value):
                result[name] = _value("%s.%s" % (where, name), kind.rstrip("!"), value)
            elif kind[-1] == "!":
                raise _invalid("%s.%s" % (where, name), kind[:-1])
            else:
                result[name] = _EMPTY.get(kind, "")
        return result

    def action(self, where: str, given: "Any", output: int) -> "tuple[str, dict, int]":
        action = self.read(where, given, _STEP)["action"]
        where += ".action"
        action = self.read(where, action, _ACTION)
        if action["type"] not in _INPUTS:
            raise _invalid(where + ".type", "runHandler or runCommand")
        given = self.read(where + ".input", action["input"], _INPUTS[action["type"]])
        if "command" in given:
            words = _split(given["command"])
        else:
            words = [given["handler"]] + given["args"]
        return self.step(words, output | action["ignoreStepFailure"])

    def step(self, words: "list[str]", flags: int) -> "tuple[str, dict, int]":
        # the operation that the first word names, and its arguments by name
        name = words[0].rsplit("/", 1)[-1]
        for end in (".sh", ".ps1"):
            if name.endswith(end):
                name = name[: -len(end)]
        name = _ALIAS.get(name, name)
        try:
            operation = self._load(name)
        except JobRejected:
            why = next(reason for part, reason in _WHY if part in name)
            raise JobRejected("UNSUPPORTED", "%s: %s" % (name[:64], why))
        given: "dict[str, Any]" = {}
        places = getattr(operation, "ARGV", ())
        for i, word in enumerate(words[1:]):
            member, equals, value = word.partition("=")
            if not equals or member not in operation.ARGUMENTS:
                if i >= len(places):
                    if self._is_absent(word):
                        continue
                    what = (name, word[:64])
                    raise JobRejected("INVALID_ARGUMENT", "%s: no argument %s" % what)
                member, value = places[i], word
            given[member] = _typed(operation.ARGUMENTS[member][0], value)
        return name, given, flags


_EMPTY: "dict[str, Any]" = {"flag": 0, "number": 0, "words": [], "list": [], "object": None}


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
    else:
        good = isinstance(value, list)
        if kind == "words":
            good = good and all(isinstance(word, str) for word in value)
        elif kind != "list":
            good = good and 1 <= len(value) <= _MOST_STEPS
    if not good:
        raise _invalid(where, kind)
    return value


def _split(command: str) -> list[str]:
    # by comma; \, is a comma of the word
    pieces = command.replace("\\,", "\0").split(",")
    return [piece.replace("\0", ",").strip() for piece in pieces]


def _typed(kind: str, word: str) -> "Any":
    # a word as the rule's type, or as it is, for the check to refuse
    if kind == "int" and word[word[:1] == "-" :].isdigit():
        return int(word)
    if kind == "bool" and word in ("true", "false"):
        return word == "true"
    return word.split(";") if kind == "hosts" and word else word


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
        raise JobRejected("CONDITION_NOT_MET", "%s: %s is %s" % (where, key[:64], fact))


def _invalid(where: str, what: str) -> JobRejected:
    names = {
        "flag": "true or false",
        "number": "a whole number from 0",
        "words": "strings in a list",
    }
    return JobRejected("INVALID_DOCUMENT", "%s must be %s" % (where, names.get(what, what)))
