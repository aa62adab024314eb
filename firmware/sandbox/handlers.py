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
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .board import Board

_IGNORE, _OUTPUT = const(1), const(2)  # flags of `steps`
_MOST_STEPS = const(20)
_ALIAS = {"health-check": "report"}
_WHY = (
    ("package", "firmware is deployed as a whole, there are no packages"),
    ("service", "there are no services to start or stop"),
    ("shutdown", "a board that is off cannot be reached again"),
)
_TOP = ("version", "includeStdOut", "conditions", "steps", "finalStep")
_ACTION = ("name", "type", "input", "runAsUser", "allowStdErr", "ignoreStepFailure")
_OLD = ("operation", "args", "path", "allowStdErr", "includeStdOut")
_TYPES = {"runHandler": ("handler", "args", "path"), "runCommand": ("command",)}
_CONDITION = ("key", "value", "type")


def parse(document: dict, board: "Board", load: "Any") -> "list[tuple[str, dict, int]]":
    """Return the steps as `plan` has them; `load` is its function. Raises JobRejected."""
    reader = _Reader(load)
    if "version" not in document:
        return reader.old(document)
    steps = reader.steps(document)
    reader.check_conditions(document.get("conditions"), board)
    return steps


class _Reader:
    def __init__(self, load: "Any") -> None:
        self._load = load
        self._arguments = borrow("arguments")

    def old(self, document: dict) -> "list[tuple[str, dict, int]]":
        _check_members("document", document, _OLD)
        self._check_number("allowStdErr", document)
        self._text("document", document, "path")
        words = [document["operation"]] + self._words("args", document.get("args"))
        output = self._flag("includeStdOut", document)
        return [self._step(words) + (_OUTPUT if output else 0,)]

    def steps(self, document: dict) -> "list[tuple[str, dict, int]]":
        _check_members("document", document, _TOP)
        if not self._text("document", document, "version"):
            raise _invalid("version must be text")
        given = document.get("steps")
        if not isinstance(given, list) or not 1 <= len(given) <= _MOST_STEPS:
            raise _invalid("steps must be a list of 1 to %d" % _MOST_STEPS)
        output = _OUTPUT if self._flag("includeStdOut", document) else 0
        steps = [self._action("steps[%d]" % i, step, output) for i, step in enumerate(given)]
        final = document.get("finalStep")
        if not self._arguments.is_absent(final):
            steps.append(self._action("finalStep", final, output))
        return steps

    def check_conditions(self, conditions: "Any", board: "Board") -> None:
        if self._arguments.is_absent(conditions):
            return
        if not isinstance(conditions, list):
            raise _invalid("conditions must be a list")
        for i, condition in enumerate(conditions):
            where = "conditions[%d]" % i
            _check_members(where, condition, _CONDITION)
            kind = self._text(where, condition, "type") or "stringEqual"
            key, wanted = self._text(where, condition, "key"), condition.get("value")
            if not key or kind not in ("stringEqual", "stringNotEqual"):
                raise _invalid(where + " needs a key, and type stringEqual or stringNotEqual")
            if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
                raise _invalid(where + ".value must be a list of strings")
            _check_condition(where, key, wanted, kind == "stringEqual", board)

    def _action(self, where: str, step: "Any", output: int) -> "tuple[str, dict, int]":
        _check_members(where, step, ("action",))
        action, where = step.get("action"), where + ".action"
        _check_members(where, action, _ACTION)
        kind, given = action.get("type"), action.get("input")
        if kind not in _TYPES:
            raise _invalid(where + ".type must be runHandler or runCommand")
        if not self._text(where, action, "name"):
            raise _invalid(where + ".name must be text")
        self._text(where, action, "runAsUser")
        self._check_number(where + ".allowStdErr", action)
        flags = output | self._flag(where + ".ignoreStepFailure", action)
        where += ".input"
        _check_members(where, given, _TYPES[kind])
        self._text(where, given, "path")
        first = self._text(where, given, _TYPES[kind][0])
        if not first:
            raise _invalid("%s.%s must be text" % (where, _TYPES[kind][0]))
        if kind == "runCommand":
            words = _split(first)
        else:
            words = [first] + self._words(where + ".args", given.get("args"))
        return self._step(words) + (flags,)

    def _step(self, words: "list[Any]") -> "tuple[str, dict]":
        # the operation that the first word names, and its arguments by name
        name = words[0].rsplit("/", 1)[-1]
        for end in (".sh", ".ps1"):
            if name.endswith(end):
                name = name[: -len(end)]
        name = _ALIAS.get(name, name)
        try:
            operation = self._load(name)
        except JobRejected:
            why = "no operation has this name"
            for part, reason in _WHY:
                if part in name:
                    why = reason
            raise JobRejected("UNSUPPORTED", "%s: %s" % (name[:64], why))
        given: "dict[str, Any]" = {}
        names = getattr(operation, "ARGV", ())
        for i, word in enumerate(words[1:]):
            member, equals, value = word.partition("=")
            if not equals or member not in operation.ARGUMENTS:
                if i >= len(names):
                    if self._arguments.is_absent(word):
                        continue
                    raise JobRejected("INVALID_ARGUMENT", "%s: no argument %s" % (name, word[:64]))
                member, value = names[i], word
            given[member] = _value(operation.ARGUMENTS[member], value)
        return name, given

    def _words(self, where: str, words: "Any") -> list[str]:
        if self._arguments.is_absent(words):
            return []
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise _invalid(where + " must be a list of strings")
        return words

    def _text(self, where: str, holder: dict, member: str) -> str:
        # "" when it is absent
        value = holder.get(member)
        if self._arguments.is_absent(value):
            return ""
        if not isinstance(value, str):
            raise _invalid("%s.%s must be text" % (where, member))
        return value

    def _check_number(self, where: str, holder: dict) -> None:
        value = holder.get("allowStdErr")
        if not self._arguments.is_absent(value) and (
            not isinstance(value, int) or isinstance(value, bool) or value < 0
        ):
            raise _invalid(where + " must be a whole number from 0")

    def _flag(self, where: str, holder: dict) -> int:
        value = holder.get(where.rsplit(".", 1)[-1])
        if self._arguments.is_absent(value) or value is False or value == "false":
            return 0
        if value is not True and value != "true":
            raise _invalid(where + " must be true or false")
        return _IGNORE


def _split(command: str) -> list[str]:
    # by comma; \, is a comma of the word
    words = [""]
    for piece in command.replace("\\,", "\0").split(","):
        words.append(piece.replace("\0", ",").strip())
    return words[1:]


def _value(rule: tuple, word: str) -> "Any":
    # a word as the rule's type, or as it is, for the check to refuse
    kind = rule[0]
    if kind == "int" and word[word[:1] == "-" :].isdigit():
        return int(word)
    if kind == "bool" and word in ("true", "false"):
        return word == "true"
    return word.split(";") if kind == "hosts" and word else word


def _check_members(where: str, value: "Any", members: tuple) -> None:
    if not isinstance(value, dict):
        raise _invalid(where + " must be an object")
    for name in value:
        if name not in members and name[:1] != "_":
            raise _invalid("%s: unknown member %s" % (where, name[:64]))


def _check_condition(where: str, key: str, wanted: list, same: bool, board: "Board") -> None:
    facts = {
        "operatingSystem": "micropython",
        "micropython": "%d.%d.%d" % sys.implementation.version[:3],
        "chip": sys.implementation._machine.split()[-1],
        "board": board.name,
        "version": VERSION,
    }
    if key not in facts:
        raise JobRejected(
            "CONDITION_NOT_MET", "%s: known are %s" % (where, ", ".join(sorted(facts)))
        )
    if (facts[key] in wanted) != same:
        raise JobRejected("CONDITION_NOT_MET", "%s: %s is %s" % (where, key, facts[key]))


def _invalid(reason: str) -> JobRejected:
    return JobRejected("INVALID_DOCUMENT", reason)
