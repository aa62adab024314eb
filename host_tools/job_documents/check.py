"""The check of a job document before a job is made of it: what the board would say, said here."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from host_tools.boards import BoardDefinition
from host_tools.errors import ToolError
from host_tools.job_documents import schema, tables
from host_tools.job_documents.board_words import in_its_words
from host_tools.job_documents.rejection import Rejection

_PARAMETER = "${aws:iot:parameter:"
_SIGN = "${aws:iot:s3-presigned-url"
_BLANKS = " \t\n\r\v\f"  # what MicroPython's strip() takes for one
_ALIAS = {"health-check": "report"}
_OTHER_FORMS = ("version", "Todo", "steps")
_OLD = ("args", "allowStdErr", "includeStdOut")


def check(document: Any, board: BoardDefinition | None = None) -> Rejection | None:
    """Return why a board, or any, would reject the document; None if it would run it.

    `conditions` are not looked at, since they ask for facts that only the board knows.
    """
    document = _signed(document)
    validator = _validator(schema.text(board))
    for error in sorted(
        validator.iter_errors(document), key=lambda error: -len(error.absolute_path)
    ):
        return _rejection(error, document)
    try:
        expanded = list(_expanded(document))
    except _RejectedError as rejected:
        return rejected.rejection
    for where, native in expanded:
        for error in validator.evolve(schema=_reference(validator, "operation")).iter_errors(
            native
        ):
            found = _rejection(error, native)
            return Rejection(found.code, f"{where}: {found.reason}")
    return None


def explained(document: Any, board: BoardDefinition | None = None) -> Rejection | None:
    """Return what `check` does, in the board's own words if possible; takes a little longer."""
    rejection = check(document, board)
    return in_its_words(rejection, _signed(document), board) if rejection else None


def _signed(value: Any) -> Any:
    # the document as the service delivers it: a URL where it is asked to sign one
    if isinstance(value, dict):
        return {name: _signed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_signed(each) for each in value]
    is_asked = isinstance(value, str) and value.startswith(_SIGN)
    return "https://s3.amazonaws.com/signed" if is_asked else value


def expanded(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the native operations that a valid document of any form stands for."""
    if "version" in document or _is_old(document):
        return [native for _, native in _expanded(document)]
    if "Todo" in document:
        return [{"operation": document["Todo"].lower()}]
    return list(document.get("steps", [document]))


def from_command(command: str) -> dict[str, Any]:
    """Return the native document of a command. Raises ToolError if no board knows it."""
    try:
        return _native(split(command))
    except _RejectedError as error:
        names = ", ".join(tables.operations())
        action = {"name": "run", "type": "runCommand", "input": {"command": command}}
        document = {"version": "1.0", "steps": [{"action": action}]}
        said = in_its_words(error.rejection, document)
        raise ToolError(str(said), f"an existing file, or one of {names}") from error


class _RejectedError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.rejection = Rejection(code, reason)


def _expanded(document: dict[str, Any]) -> Any:
    # (where, native operation) of each step of the Device Client's forms
    if "version" in document:
        steps = [(f"steps[{i}]", step) for i, step in enumerate(document["steps"])]
        if not _is_absent(document.get("finalStep")):
            steps.append(("finalStep", document["finalStep"]))
        for where, step in steps:
            given = step["action"]["input"]
            if step["action"]["type"] == "runCommand":
                yield where, _native(split(given["command"]))
            else:
                yield where, _native([given["handler"], *_words(given.get("args"))])
    elif _is_old(document):
        yield "document", _native([document["operation"], *_words(document.get("args"))])


def split(command: str) -> list[str]:
    """Return the words of a command of AWS-Run-Command: by comma, `\\,` is a comma."""
    words = re.split(r"(?<!\\),", command)
    return [word.replace("\\,", ",").strip(_BLANKS) for word in words]


def _native(words: list[str]) -> dict[str, Any]:
    name = words[0].rpartition("/")[2]
    for end in (".sh", ".ps1"):
        name = name.removesuffix(end)
    name = _ALIAS.get(name, name)
    operation = tables.operations().get(name)
    if operation is None:
        raise _RejectedError("UNSUPPORTED", f"{name}: a board has no such handler or command")
    result: dict[str, Any] = {"operation": name}
    for i, word in enumerate(words[1:]):
        member, equals, value = word.partition("=")
        if not equals or member not in operation.arguments:
            if i >= len(operation.argv):
                if _is_absent(word):
                    continue
                raise _RejectedError("INVALID_ARGUMENT", f"{name}: no argument {word}")
            member, value = operation.argv[i], word
        result[member] = _value(operation.arguments[member][0], value)
    return result


def _value(kind: str, word: str) -> Any:
    if kind == "int" and re.fullmatch(r"-?[0-9]+", word, re.ASCII):
        return int(word)
    if kind == "bool" and word in ("true", "false"):
        return word == "true"
    return word.split(";") if kind == "hosts" and word else word


def _words(value: Any) -> list[str]:
    return [] if _is_absent(value) else list(value)


def _is_absent(value: Any) -> bool:
    return (
        value is None or value == "" or (isinstance(value, str) and value.startswith(_PARAMETER))
    )


def _is_old(document: dict[str, Any]) -> bool:
    name = document.get("operation")
    return isinstance(name, str) and (name.endswith(".sh") or any(m in document for m in _OLD))


def _rejection(error: Any, document: Any) -> Rejection:
    path = list(error.absolute_path)
    where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
    reason = f"{where or 'document'}: {_message(error)}"
    if path[-1:] in (["operation"], ["Todo"]) and error.validator == "enum":
        return Rejection("UNKNOWN_OPERATION", reason)
    name, argument = _argument(path, document)
    if name is None:
        return Rejection("INVALID_DOCUMENT", reason)
    kind = tables.operations()[name].arguments.get(argument, ("",))[0]
    known = error.validator != "enum" or _is_absent(error.instance)
    is_pin = kind == "pin" and not known and isinstance(error.instance, str)
    return Rejection("UNKNOWN_PIN" if is_pin else "INVALID_ARGUMENT", reason)


def _argument(path: list[Any], document: Any) -> tuple[str | None, str]:
    # the known operation that the path leads into, and which of its members; None if into none
    if isinstance(document, dict) and _is_old(document):
        return None, ""
    has_steps = isinstance(document, dict) and any(m in document for m in _OTHER_FORMS)
    for i in range(1 if has_steps else 0, len(path) + 1):
        if i == 1 and has_steps:
            document = document[path[0]]
        if _is_known(document):
            return document["operation"], str(path[i]) if i < len(path) else ""
        if i < len(path):
            document = document[path[i]]
    return None, ""


def _is_known(value: Any) -> bool:
    name = value.get("operation") if isinstance(value, dict) else None
    return isinstance(name, str) and name in tables.operations()


def _message(error: Any) -> str:
    if error.validator == "pattern":
        return f"{error.instance!r} does not match {error.validator_value}"
    return str(error.message)[:200]


def _reference(validator: Any, name: str) -> dict[str, Any]:
    return {**validator.schema, "if": True, "then": {"$ref": f"#/$defs/{name}"}, "else": True}


@cache
def _validator(text: str) -> Any:
    import json

    import jsonschema  # late, since it takes 0.2 s

    # 5.0 is no whole number for a board, nor for whoever wrote it
    whole = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    kind = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=whole)
    return kind(json.loads(text))
