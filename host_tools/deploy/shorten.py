"""Shortens a firmware module before it is compiled, by what only people and type checkers read.

MicroPython keeps each name that a module mentions for ever, in the heap, once it has been loaded
(py/qstr.c): 17 to 30 bytes a name, and 4.5 KB more when there are over 620. So

1. what begins with one underscore is a module's own affair: every module calls its private names
   `_a`, `_b`, …, the same few everywhere;
2. every function calls its parameters `a`, `b`, …, unless some call gives them by name;
3. what is for the type checker only, under `if TYPE_CHECKING`, is left out, and the import of
   `const`, which the compiler knows.

Lines stay lines: a traceback tells file and line as they are in the source, only a private
function's name is another.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import string
import tokenize
from collections import Counter
from collections.abc import Iterator, Set

# What umqtt and asyncio give by name to what stands in for a TLS context
_FROM_OUTSIDE = {"server_hostname", "do_handshake_on_connect"}
_IMPORT = "from micropython import const"
_Change = tuple[int, int, str, str]  # row, column, what is there, what will be


def given_by_name(source: str) -> set[str]:
    """Return the names by which calls in `source` give arguments. Raises SyntaxError."""
    nodes = ast.walk(ast.parse(source))
    return {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}


def shorten(source: str, by_name: Set[str]) -> str:
    """Return `source` with the private names that it defines shortened, most frequent first, and
    its parameters, but for those `by_name`. Raises SyntaxError.
    """
    tree = ast.parse(source)
    lines = _needed(tree, source)
    every = [
        token
        for token in tokenize.generate_tokens(iter(lines).__next__)
        if token.type == tokenize.NAME
    ]
    in_f_strings = _in_f_strings(tree)
    own = _defined(tree) - in_f_strings
    taken = {token.string for token in every} - own
    tokens = [token for token in every if token.string in own]
    frequent = [name for name, _ in Counter(token.string for token in tokens).most_common()]
    names = dict(zip(frequent, _short_names("_", taken), strict=False))
    parameters = _Parameters(lines, own | in_f_strings | by_name | _FROM_OUTSIDE, taken)
    parameters.visit(tree)
    changes = [(*token.start, token.string, names[token.string]) for token in tokens]
    for row, column, old, new in sorted(changes + parameters.changes, reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[column + len(old) :]
    return "".join(lines)


def _needed(tree: ast.Module, source: str) -> list[str]:
    # the lines, empty where there is nothing for the board; `tree` loses that, too
    lines = source.splitlines(keepends=True)
    known = _knows_every_const(tree)
    for node in list(tree.body):
        if _is_for_types(node) or (known and ast.unparse(node) == _IMPORT):
            tree.body.remove(node)
            rows = slice(node.lineno - 1, node.end_lineno)
            lines[rows] = ["\n"] * len(lines[rows])
    return lines


def _is_for_types(node: ast.stmt) -> bool:
    named = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "test", None)
    return isinstance(named, ast.Name) and named.id == "TYPE_CHECKING"


def _knows_every_const(tree: ast.Module) -> bool:
    # the compiler knows it in `NAME = const(…)` only
    known = [
        node.value.func
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
    ]
    return all(
        node in known
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "const"
    )


class _Parameters:
    # Collects the changes of the names of parameters, in each function's own scope
    def __init__(self, lines: list[str], kept: Set[str], taken: Set[str]) -> None:
        self.changes: list[_Change] = []
        self._lines = lines
        self._kept = kept | {"self"}
        self._taken = taken
        self._names: dict[str, str] = {}  # in the scope that is visited

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            self._visit_function(node)
        elif isinstance(node, ast.Name):
            self._change(node, node.id)
        else:
            for child in ast.iter_child_nodes(node):
                self.visit(child)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        outside = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        for each in outside + getattr(node, "decorator_list", []):
            self.visit(each)
        given = [each for each in ast.iter_child_nodes(node.args) if isinstance(each, ast.arg)]
        names = [each.arg for each in given if each.arg not in self._kept]
        outer = self._names
        fresh = _short_names("", self._taken | set(outer.values()))
        self._names = outer | dict(zip(names, fresh, strict=False))
        for each in given:
            self._change(each, each.arg)
        for each in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(each)
        self._names = outer

    def _change(self, node: ast.arg | ast.Name, name: str) -> None:
        if name in self._names:
            before = self._lines[node.lineno - 1].encode()[: node.col_offset]
            self.changes.append((node.lineno, len(before.decode()), name, self._names[name]))


def _defined(tree: ast.Module) -> set[str]:
    # names of functions, classes, arguments, variables and attributes that this module makes;
    # another's private name, `sys.implementation._mpy`, is not among them
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return {name for name in names if name[0] == "_" and name[1:2] not in ("", "_")}


def _in_f_strings(tree: ast.Module) -> set[str]:
    # before Python 3.12 an f-string is one token: what it names keeps its name everywhere
    names: set[str] = set()
    for joined in ast.walk(tree):
        if isinstance(joined, ast.JoinedStr):
            for node in ast.walk(joined):
                if isinstance(node, ast.Name):
                    names.add(node.id)
                elif isinstance(node, ast.Attribute):
                    names.add(node.attr)
    return names


def _short_names(start: str, taken: Set[str]) -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            name = start + "".join(letters)
            if name not in taken and not keyword.iskeyword(name):
                yield name
