"""Names that the firmware can do without are shortened before it is compiled, and no other."""

from __future__ import annotations

import ast

from host_tools import paths
from host_tools.deploy.shorten import given_by_name, shorten

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
    short = shorten(SOURCE, set())
    assert "self._a = a  # _wanted stays in comments" in short
    assert 'return "_wanted %d" % (2 * self._a + sys.implementation._mpy + _b)' in short
    assert "_double" not in short and "_ignored" not in short and "__init__" in short


def test_names_in_f_strings_and_short_names_in_use_are_left_alone() -> None:
    source = 'import x as _a\n\n_said = _other = 1\nprint(f"{_said}", _a, _other)\n'
    assert shorten(source, set()) == (
        'import x as _a\n\n_said = _b = 1\nprint(f"{_said}", _a, _b)\n'
    )


def test_parameters_become_short_in_the_scope_of_their_function() -> None:
    source = """\
def outer(self, first, second=lambda each: each + 1, *rest, **more):
    first.first = {"first": first}
    def inner(second, third=second):
        return first, second, third, first
    return inner(second, third=rest), [first for first in more]
"""
    short = """\
def outer(self, a, b=lambda a: a + 1, *c, **d):
    a.first = {"first": a}
    def inner(e, third=b):
        return a, e, third, a
    return inner(b, third=c), [a for a in d]
"""
    assert given_by_name(source) == {"third"}
    assert shorten(source, {"third"}) == short


def test_a_parameter_takes_no_name_that_is_in_use() -> None:
    source = "a = 1\ndef f(\u00e9t\u00e9, first): return '\u2026', \u00e9t\u00e9, first, a\n"
    assert shorten(source, set()) == "a = 1\ndef f(b, c): return '\u2026', b, c, a\n"
    many = ", ".join(f"p{i}" for i in range(60))
    assert " as" not in shorten(f"def f({many}): pass\n", set())  # it is a keyword


def test_what_others_give_by_name_keeps_it() -> None:
    source = "def wrap_socket(sock, server_hostname=None): pass\n"
    assert shorten(source, set()) == "def wrap_socket(a, server_hostname=None): pass\n"


def test_what_is_for_the_host_is_left_out() -> None:
    source = """\
from micropython import const
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .app import App

x = const(1)
"""
    assert shorten(source, set()) == "\n\n\n\n\n\n\nx = const(1)\n"
    for source in (
        "from micropython import const, schedule\nx = const(1)\n",
        "from micropython import const\nx, y = const(1), 2\n",
    ):
        assert shorten(source, set()) == source, "the compiler does not know it there"


def test_lines_stay_lines() -> None:
    short = shorten(SOURCE, set())
    assert short.count("\n") == SOURCE.count("\n")
    assert [type(node) for node in ast.walk(ast.parse(short))] == [
        type(node)
        for node in ast.walk(ast.parse(SOURCE.replace("from micropython import const\n", "\n")))
    ]


def test_no_module_of_the_firmware_uses_anothers_private_names() -> None:
    # else it would look for a name that the other no longer has
    for path in sorted(paths.FIRMWARE.rglob("*.py")):
        short = ast.parse(shorten(path.read_text(), set()))
        left = {
            node.attr
            for node in ast.walk(short)
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and len(node.attr) > 3
        }
        assert {name for name in left if not name.startswith("__")} <= {"_mpy", "_machine"}, path
