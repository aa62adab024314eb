"""How large the application is: each module as source, as .mpy, and in the heap once imported.

Heap is in bytes of a board: what the Unix port takes, halved, since its words are twice as long.
That is too little for what is no words, strings and bytecode; a 32-bit MicroPython tells the
truth.
"""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_tools import paths
from host_tools.deploy import build
from tests.benchmarks import interpreters

_PACKAGE = "sandbox"
_BEFORE = ("asyncio", "json", "umqtt.simple")  # an ESP32 has them frozen in its flash
_ROOT = "sandbox.app"


def measure() -> dict[str, Any]:
    """Return {"modules": {name: {"py", "mpy", "heap", "heap32", "stays"}}, "files": {name: bytes},
    "totals": {…}}. The heap32 members are there if $MICROPYTHON32 is.
    """
    files = build.application(umqtt=False)
    modules = {_name(path): {"py": _source(path), "mpy": len(files[path])} for path in _mpy(files)}
    resident = _residents(list(modules))
    borrowed = [name for name in modules if name not in resident]
    wanted = {"before": _BEFORE, "resident": resident, "borrowed": borrowed}
    totals: dict[str, int] = {
        "mpy": sum(module["mpy"] for module in modules.values()),
        "flash": sum(map(len, files.values())),
    }
    for found, suffix, words in _heap(wanted):
        for name, taken in found["modules"].items():
            modules[name]["heap" + suffix] = taken // words
        totals["resident" + suffix] = found["resident"] // words
        totals["names" + suffix] = found["names"] // words
    for name in resident:
        modules[name]["stays"] = 1
    others = {name: len(data) for name, data in files.items() if not name.endswith(".mpy")}
    return {"totals": totals, "modules": modules, "files": others}


def _heap(wanted: dict[str, Any]) -> list[tuple[Any, str, int]]:
    # (what the script found, suffix, size of a word in a board's words) of each interpreter
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, content in build.application(umqtt=True).items():
            path = folder / name[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "modules.json").write_text(json.dumps(wanted))
        found = [(interpreters.run("modules.py", folder), "", interpreters.words())]
        true = interpreters.run_32("modules.py", folder)
        return found + ([(true, "32", 1)] if true else [])


def _residents(modules: list[str]) -> list[str]:
    # Those that stay once they are loaded, in the order in which they come: the package, the root,
    # and what any module imports. The others are loaded by name, and given up (`sandbox.lazy`).
    order: list[str] = []

    def visit(module: str) -> None:
        if module in modules and module not in order:
            for needed in _imports(module):
                visit(needed)
            order.append(module)

    visit(_PACKAGE)
    visit(_ROOT)
    for module in modules:
        for needed in _imports(module):
            visit(needed)
    return order


def _imports(module: str) -> list[str]:
    # What a module imports of the application, but not for the type checker only, under an `if`
    found = []
    parent = module.rpartition(".")[0] if _is_module(module) else module
    for node in _statements(ast.parse(_path(module).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = parent.rsplit(".", node.level - 1)[0]
            if node.module:
                found.append(f"{base}.{node.module}")
            else:
                found += [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)  # by its full name, or none of ours
    return found


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from _statements(node)


def _mpy(files: dict[str, bytes]) -> list[str]:
    return [name for name in files if name.endswith(".mpy")]


def _name(path: str) -> str:
    return path[1:].removesuffix(".mpy").replace("/", ".").removesuffix(".__init__")


def _is_module(name: str) -> bool:
    return _path(name).name != "__init__.py"


def _path(name: str) -> Path:
    base = paths.FIRMWARE / name.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _source(path: str) -> int:
    return (paths.FIRMWARE / path[1:]).with_suffix(".py").stat().st_size
