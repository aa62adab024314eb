"""Private names of the firmware are shortened before it is compiled, and nothing else is."""

from __future__ import annotations

import ast

from host_tools import paths
from host_tools.deploy.shorten import shorten

SOURCE = """\
import sys
from micropython import const

_LIMIT = const(3)


class Thing:
    def __init__(self, wanted: int) -> None:
        self._wanted = wanted  # _wanted stays in comments
        self._again = self._wanted

    def _double(self, _ignored: object = None) -> str:
        return "_wanted %d" % (2 * self._wanted + sys.implementation._mpy + _LIMIT)
"""


def test_a_modules_own_private_names_become_short_the_most_frequent_first() -> None:
    short = shorten(SOURCE)
    assert "self._a = wanted  # _wanted stays in comments" in short
    assert 'return "_wanted %d" % (2 * self._a + sys.implementation._mpy + _b)' in short
    assert "_double" not in short and "_ignored" not in short and "__init__" in short


def test_names_in_f_strings_and_short_names_in_use_are_left_alone() -> None:
    source = 'import x as _a\n\n_said = _other = 1\nprint(f"{_said}", _a, _other)\n'
    assert shorten(source) == ('import x as _a\n\n_said = _b = 1\nprint(f"{_said}", _a, _b)\n')


def test_lines_stay_lines() -> None:
    short = shorten(SOURCE)
    assert short.count("\n") == SOURCE.count("\n")
    assert [type(node) for node in ast.walk(ast.parse(short))] == [
        type(node) for node in ast.walk(ast.parse(SOURCE))
    ]


def test_no_module_of_the_firmware_uses_anothers_private_names() -> None:
    # else it would look for a name that the other no longer has
    for path in sorted(paths.FIRMWARE.rglob("*.py")):
        short = ast.parse(shorten(path.read_text()))
        left = {
            node.attr
            for node in ast.walk(short)
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and len(node.attr) > 3
        }
        assert {name for name in left if not name.startswith("__")} <= {"_mpy", "_machine"}, path
