"""The JSON Schema of job documents, made from the operations' tables.

docs/jobs/schema.json is that for any board; `for_board` narrows it to the pins and limits of one.
"""

from __future__ import annotations

import json
from typing import Any

from host_tools import paths
from host_tools.boards import BoardDefinition
from host_tools.job_documents import tables

FILE = paths.ROOT / "docs" / "jobs" / "schema.json"
MOST_STEPS = MOST_WORDS = MOST_CONDITIONS = 20
TODO = ["Reboot"]
_END = "(?![\\s\\S])"  # `$` of Python would let a newline follow
_WORD = "A-Za-z0-9"
_NO_PARAMETER = {"not": {"pattern": "^\\$\\{aws:iot:parameter:"}}
_ABSENT = {"$ref": "#/$defs/absent"}
_COMMENTS = {"^_": {"type": "string"}}
_Schema = dict[str, Any]


def for_board(board: BoardDefinition | None = None) -> _Schema:
    """Return the schema of documents for a board, or for any."""
    operations = tables.operations()
    document = {
        "if": {"required": ["version"]},
        "then": {"$ref": "#/$defs/deviceClient"},
        "else": {
            "if": {"$ref": "#/$defs/isOldForm"},
            "then": {"$ref": "#/$defs/oldForm"},
            "else": {
                "if": {"required": ["Todo"]},
                "then": {"$ref": "#/$defs/todo"},
                "else": {
                    "if": {"required": ["steps"]},
                    "then": {"$ref": "#/$defs/steps"},
                    "else": {"$ref": "#/$defs/operation"},
                },
            },
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A job document of the Jobs Sandbox",
        "description": "Generated from firmware/sandbox/operations; README.md tells it to people.",
        "type": "object",
        **document,
        "$defs": {
            **_forms(list(operations)),
            **{name: _operation(each, board) for name, each in operations.items()},
        },
    }


def text(board: BoardDefinition | None = None) -> str:
    """Return the schema as it lies in docs/jobs/schema.json."""
    return json.dumps(for_board(board), indent=1) + "\n"


def _forms(names: list[str]) -> _Schema:
    branches = [
        {"if": {"properties": {"operation": {"const": name}}}, "then": {"$ref": f"#/$defs/{name}"}}
        for name in names
    ]
    steps = {"type": "array", "minItems": 1, "maxItems": MOST_STEPS}
    word = {"type": "string", "minLength": 1, **_NO_PARAMETER}
    return {
        "absent": {
            "description": "what counts as not given",
            "anyOf": [
                {"enum": [None, ""]},
                {"pattern": "^\\$\\{aws:iot:parameter:", "type": "string"},
            ],
        },
        "todo": _object({"Todo": {"enum": TODO}}, ["Todo"]),
        "steps": _object({"steps": {**steps, "items": {"$ref": "#/$defs/operation"}}}, ["steps"]),
        "operation": {
            "type": "object",
            "required": ["operation"],
            "properties": {"operation": {"type": "string", "enum": names}},
            "allOf": branches,
        },
        "isOldForm": {
            "required": ["operation"],
            "properties": {"operation": {"type": "string"}},
            "anyOf": [
                {"properties": {"operation": {"pattern": f"\\.sh{_END}"}}},
                *({"required": [each]} for each in ("args", "allowStdErr", "includeStdOut")),
            ],
        },
        "oldForm": _object(
            {
                "operation": {"type": "string"},
                "args": _or_absent({"$ref": "#/$defs/words"}),
                "path": _or_absent({"type": "string"}),
                "allowStdErr": _or_absent({"type": "integer", "minimum": 0}),
                "includeStdOut": _or_absent({"$ref": "#/$defs/flag"}),
            },
            ["operation"],
        ),
        "deviceClient": _object(
            {
                "version": word,
                "includeStdOut": _or_absent({"$ref": "#/$defs/flag"}),
                "conditions": _or_absent(
                    {
                        "type": "array",
                        "maxItems": MOST_CONDITIONS,
                        "items": {"$ref": "#/$defs/condition"},
                    }
                ),
                "steps": {**steps, "items": {"$ref": "#/$defs/step"}},
                "finalStep": _or_absent({"$ref": "#/$defs/step"}),
            },
            ["version", "steps"],
        ),
        "condition": _object(
            {
                "key": word,
                "value": {"$ref": "#/$defs/words"},
                "type": _or_absent({"enum": ["stringEqual", "stringNotEqual"]}),
            },
            ["key", "value"],
        ),
        "step": _object({"action": {"$ref": "#/$defs/action"}}, ["action"]),
        "action": {
            **_object(
                {
                    "name": word,
                    "type": {"enum": ["runHandler", "runCommand"]},
                    "input": {"type": "object"},
                    "runAsUser": _or_absent({"type": "string"}),
                    "allowStdErr": _or_absent({"type": "integer", "minimum": 0}),
                    "ignoreStepFailure": _or_absent({"$ref": "#/$defs/flag"}),
                },
                ["name", "type", "input"],
            ),
            "if": {"properties": {"type": {"const": "runCommand"}}},
            "then": {"properties": {"input": _object({"command": word}, ["command"])}},
            "else": {
                "properties": {
                    "input": _object(
                        {
                            "handler": word,
                            "args": _or_absent({"$ref": "#/$defs/words"}),
                            "path": _or_absent({"type": "string"}),
                        },
                        ["handler"],
                    )
                }
            },
        },
        "words": {"type": "array", "maxItems": MOST_WORDS, "items": {"type": "string"}},
        "flag": {"enum": [True, False, "true", "false"]},
    }


def _operation(operation: tables.Operation, board: BoardDefinition | None) -> _Schema:
    properties: _Schema = {"operation": {"const": operation.name}}
    conditions: list[_Schema] = []
    for name, rule in operation.arguments.items():
        schema = _rule(rule, board)
        properties[name] = _or_absent(schema) if name in operation.optional else schema
        if rule[0] == "pin" and board:
            conditions += _actions_of_pins(name, rule, board)
    for name, (other, *values) in operation.only.items():
        conditions += _only(name, other, values, board)
    required = [name for name in operation.arguments if name not in operation.optional]
    schema = {
        "description": operation.summary,
        **_object(properties, ["operation", *required]),
    }
    return {**schema, "allOf": conditions} if conditions else schema


def _rule(rule: tuple[Any, ...], board: BoardDefinition | None) -> _Schema:
    kind, *rest = rule
    if kind == "pin":
        kinds = {each.rpartition(":")[2] for each in rest}
        if board:
            return {"type": "string", "enum": _pins(board, kinds)}
        what = f"a pin of the board; {' or '.join(sorted(kinds))}"
        return {
            "type": "string",
            "pattern": f"^[A-Za-z][{_WORD}_-]{{0,31}}{_END}",
            "description": what,
        }
    if kind == "choice":
        return {"enum": rest}
    if kind == "int":
        low, high = rest
        if isinstance(high, str):
            limits = tables.limits() | (board.limits if board else {})
            what = f"the limit is {high} of the board"
            return {
                "type": "integer",
                "minimum": low,
                "maximum": limits[high],
                "description": what,
            }
        return {"type": "integer", "minimum": low, "maximum": high}
    return _text_rule(kind, rest)


def _text_rule(kind: str, rest: list[Any]) -> _Schema:
    name = f"[{_WORD}_-][{_WORD}._-]{{0,47}}"
    host = f"^[{_WORD}-][{_WORD}.-]{{0,47}}{_END}"
    rules: dict[str, _Schema] = {
        "bool": {"type": "boolean"},
        "colour": {"type": "string", "pattern": f"^#[0-9A-Fa-f]{{6}}{_END}"},
        "file": {"type": "string", "pattern": f"^/files/{name}{_END}"},
        "url": {"type": "string", "maxLength": 2048, "pattern": f"^https?://[!-.0-~][!-~]*{_END}"},
    }
    if kind == "text":
        characters = "[^\\u0000-\\u001f\\u007f]"
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": rest[0],
            "pattern": f"^{characters}*{_END}",
        }
    if kind == "hex":
        return {"type": "string", "pattern": f"^[0-9A-Fa-f]{{{rest[0]}}}{_END}"}
    if kind == "hosts":
        items = {"type": "string", "pattern": host}
        return {"type": "array", "minItems": 1, "maxItems": rest[0], "items": items}
    return rules[kind]


def _actions_of_pins(name: str, rule: tuple[Any, ...], board: BoardDefinition) -> list[_Schema]:
    # pins of some kinds are for one action only
    result = []
    for each in rule[1:]:
        action, colon, _ = each.partition(":")
        if colon:
            others = _pins(board, {other for other in rule[1:] if ":" not in other})
            result.append(
                {
                    "if": {"not": {"properties": {"action": {"const": action}}}},
                    "then": {"properties": {name: {"enum": others}}},
                }
            )
    return result


def _only(
    name: str, other: str, values: list[str], board: BoardDefinition | None
) -> list[_Schema]:
    if other == "pin":
        others = (
            [pin for pin in board.pins if pin not in _pins(board, set(values))] if board else []
        )
        wrong = {"required": ["pin"], "properties": {"pin": {"enum": others}}}
        return [{"if": wrong, "then": {"properties": {name: _ABSENT}}}] if others else []
    given = {"required": [name], "properties": {name: {"not": _ABSENT}}}
    return [{"if": given, "then": {"required": [other], "properties": {other: {"enum": values}}}}]


def _pins(board: BoardDefinition, kinds: set[str]) -> list[str]:
    return sorted(name for name, pin in board.pins.items() if pin.kind in kinds)


def _object(properties: _Schema, required: list[str]) -> _Schema:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "patternProperties": _COMMENTS,
        "additionalProperties": False,
    }


def _or_absent(schema: _Schema) -> _Schema:
    return {"if": {"not": _ABSENT}, "then": schema}
