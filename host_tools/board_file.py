"""Reads a board's TOML file: checks its keys against the schema and takes over what it extends.

Errors are ValueError or OSError within, ToolError, which names the file, for everybody else.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from host_tools.errors import ToolError
from host_tools.paths import BOARDS

README = "boards/README.md shows how to write one"

_SCHEMA = "board.schema.json"
_TABLES = ("pins", "forbidden", "usb")
_KEYS = {
    "pins": "name for a pin",
    "forbidden": "GPIO number, and no range like 6-11",
    "usb": "USB identity like 10c4:ea60",
}


def merged(path: Path, find: Callable[[str, Path], Path]) -> dict[str, Any]:
    """Return the file's keys with those it takes from the boards it extends.

    `find` returns the path of what `extends` names, beside a folder. `forbidden` is by GPIO
    number, `[led]` is among `pins`. Raises ToolError naming the file and what is wrong in it.
    """
    return _merged(path, find, ())


def _merged(
    path: Path, find: Callable[[str, Path], Path], extending: tuple[Path, ...]
) -> dict[str, Any]:
    if path.resolve() in extending:
        raise ToolError(f"{path}: extends itself, in the end", README)
    try:
        table = _table(path)
        base: dict[str, Any] = {}
        if "extends" in table:
            parent = find(table["extends"], path.parent)
            base = _merged(parent, find, (*extending, path.resolve()))
        return _over(base, table)
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}", README) from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are of this kind
        raise ToolError(f"{path}: {error}", README) from error


def _over(base: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    inherited = {key: value for key, value in base.items() if key not in ("name", "extends")}
    result = inherited | table
    for key in _TABLES:
        entries = dict(base.get(key, {}))
        for name, value in table.get(key, {}).items():
            if value is not False:
                entries[name] = value
            elif entries.pop(name, None) is None:
                raise ValueError(f"{key}.{name} = false takes back what is not there")
        result[key] = entries
    return result


def _table(path: Path) -> dict[str, Any]:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    _check(table)
    if "led" in table:
        table["pins"] = {"led": table.pop("led"), **table.get("pins", {})}
    table["forbidden"] = _spelt_out(table.get("forbidden", {}))
    return table


def _spelt_out(forbidden: dict[str, Any]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for key, reason in forbidden.items():
        first, _, last = key.partition("-")
        if int(first) > int(last or first):
            raise ValueError(f"forbidden.{key}: {first} comes after {last}")
        found |= dict.fromkeys(range(int(first), int(last or first) + 1), reason)
    return found


def _check(table: dict[str, Any]) -> None:
    """Raise ValueError naming a key that the schema does not allow, and where."""
    for error in _validator().iter_errors(table):
        where = ".".join(str(part) for part in error.absolute_path)
        if error.validator != "additionalProperties":
            raise ValueError(f"{where}: {error.message}")
        known = error.schema.get("properties", {})
        patterns = error.schema.get("patternProperties", {})
        unknown = next(key for key in error.instance if not _allowed(key, known, patterns))
        if patterns:
            raise ValueError(f"{where}: {unknown!r} is no {_KEYS[where]}")
        place = f" in {where}" if where else ""
        raise ValueError(f"unknown key {unknown}{place}; there are {', '.join(known)}")


def _allowed(key: str, known: dict[str, Any], patterns: dict[str, Any]) -> bool:
    return key in known or any(re.search(pattern, key) for pattern in patterns)


@cache
def _validator() -> Any:
    import jsonschema  # late, since it takes 0.2 s

    schema = json.loads((BOARDS / _SCHEMA).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)
