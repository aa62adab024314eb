"""The tables of the board's operations, read from their source without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import Any

from host_tools import paths

FOLDER = paths.FIRMWARE / "sandbox" / "operations"
_NAMES = ("ARGUMENTS", "OPTIONAL", "ONLY", "ARGV")


@dataclass(frozen=True)
class Operation:
    """An operation: what it is for, and its tables, as firmware/sandbox/arguments.py has them."""

    name: str
    summary: str
    arguments: dict[str, tuple[Any, ...]]
    optional: dict[str, Any]
    only: dict[str, tuple[str, ...]]
    argv: tuple[str, ...]


@cache
def operations() -> dict[str, Operation]:
    """Return the operations in firmware/sandbox/operations by name."""
    files = sorted(FOLDER.glob("[!_]*.py"))
    found = [_read(path.stem.replace("_", "-"), path.read_text("utf-8")) for path in files]
    return {operation.name: operation for operation in found}


@cache
def limits() -> dict[str, int]:
    """Return the limits of a board that has none of its own."""
    source = (paths.FIRMWARE / "sandbox" / "arguments.py").read_text("utf-8")
    found: dict[str, int] = _assigned(ast.parse(source), ("LIMITS",))["LIMITS"]
    return found


def _read(name: str, source: str) -> Operation:
    tree = ast.parse(source)
    tables = _assigned(tree, _NAMES)
    summary = " ".join((ast.get_docstring(tree) or name).split("\n\n")[0].split())
    return Operation(
        name,
        summary,
        tables["ARGUMENTS"],
        tables.get("OPTIONAL", {}),
        tables.get("ONLY", {}),
        tables.get("ARGV", ()),
    )


def _assigned(tree: ast.Module, names: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        target = targets[0]
        if isinstance(target, ast.Name) and target.id in names:
            found[target.id] = ast.literal_eval(node.value)  # type: ignore[attr-defined]
    return found
