"""Shortens the private names of a firmware module before it is compiled.

MicroPython keeps each name that a module mentions for ever, in the heap, once it has been loaded
(py/qstr.c): 17 to 30 bytes a name, and 4.5 KB more when there are over 620. What begins with one
underscore is a module's own affair, so here every module calls its private names `_a`, `_b`, …,
the same few everywhere. Lines stay lines: a traceback tells file and line as they are in the
source, only a private function's name is another.
"""

from __future__ import annotations

import ast
import io
import itertools
import string
import tokenize
from collections import Counter
from collections.abc import Iterator


def shorten(source: str) -> str:
    """Return `source` with the private names that it defines shortened, most frequent first.

    Raises SyntaxError.
    """
    tree = ast.parse(source)
    own = _defined(tree) - _in_f_strings(tree)
    every = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.NAME
    ]
    taken = {token.string for token in every} - own
    tokens = [token for token in every if token.string in own]
    frequent = [name for name, _ in Counter(token.string for token in tokens).most_common()]
    names = dict(zip(frequent, (n for n in _short_names() if n not in taken), strict=False))
    lines = io.StringIO(source).readlines()
    for token in reversed(tokens):
        row, start, end = token.start[0] - 1, token.start[1], token.end[1]
        lines[row] = lines[row][:start] + names[token.string] + lines[row][end:]
    return "".join(lines)


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


def _short_names() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "_" + "".join(letters)
