"""What MicroPython's names take of a board's heap.

It keeps each name that is not in its flash in a pool; the first one for 20, and each that follows
for twice as many (py/qstr.c; what is frozen counts as a pool of 10). A board has other names in
its flash than the Unix port, and there the modules that stand in for an ESP32's have hundreds: so
the pools are counted here, for the names that a board has to keep.
"""

from __future__ import annotations

import ast
import functools
import keyword
import re
import subprocess
import tokenize
from collections.abc import Iterable
from pathlib import Path

from host_tools import interpreter, paths
from host_tools.deploy import build
from host_tools.deploy.residents import module_name, residents
from host_tools.deploy.unname import names

_FIRST_POOL = 20
_HEAD, _ENTRY, _BLOCK = 24, 4 + 2 + 1, 16  # bytes of a pool, of a name in it, of the heap
_LONGEST_STRING = 10  # of those in a source that become names
_ON_ESP32 = (
    "esp32",
    "machine",
    "neopixel",
    "network",
    "ntptime",
    "socket",
    "tls",
    "vfs",
    "umqtt.simple",
)
_STUBS = paths.ROOT / "build" / "esp32_stubs" / "stdlib"


def pools(count: int) -> int:
    """Return what the pools for so many names take, in bytes of a board."""
    taken, size = 0, _FIRST_POOL
    while count > 0:
        taken += -(-(_HEAD + size * _ENTRY) // _BLOCK) * _BLOCK
        count -= size
        size *= 2
    return taken


def lent() -> list[str]:
    """Return the modules that are loaded for a moment only."""
    return [name.removeprefix("sandbox.") for name in _modules() if name not in _residents()]


def kept(loaded: Iterable[str] = ()) -> set[str]:
    """Return the names that a board keeps once it has started the application and loaded these
    modules, `plan` or `operations.gpio` for instance.

    What an ESP32 has in its flash is taken to be what the Unix port has, and what the stubs of an
    ESP32's own modules define: that is about right.
    """
    wanted = _residents() + [f"sandbox.{name}" for name in loaded]
    found = _sources().union(*(_modules()[name] for name in wanted))
    return found - _in_flash()


@functools.cache
def _modules() -> dict[str, set[str]]:
    files = build.application(umqtt=False).items()
    return {module_name(path): names(data) for path, data in files if path.endswith(".mpy")}


@functools.cache
def _residents() -> list[str]:
    return residents(list(_modules()))


@functools.cache
def _sources() -> set[str]:
    # boot.py and main.py are compiled on the board, which takes each word for a name
    found = set()
    for source in ("boot.py", "main.py"):
        with (paths.FIRMWARE / source).open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                    found.add(token.string)
                elif token.type == tokenize.STRING:
                    text = ast.literal_eval(token.string)
                    found |= {text} if len(text) <= _LONGEST_STRING else set()
    return found


@functools.cache
def _in_flash() -> set[str]:
    found = _in_the_unix_port() | set(_ON_ESP32)
    for name in _ON_ESP32:
        stub = _STUBS / f"{name.replace('.', '/')}.pyi"
        found |= _defined(stub)
    umqtt = (paths.UMQTT / "umqtt" / "simple.py").read_text("utf-8")
    return found | set(re.findall(r"\w+", umqtt))


def _in_the_unix_port() -> set[str]:
    # It lists the names that it has to keep: of those that are ours, it has the others in itself
    ours = set().union(_sources(), *_modules().values())
    script = f"import micropython\nfor name in {sorted(ours)}:\n hasattr(name, name)\n"
    command = [str(interpreter.find()), "-c", script + "micropython.qstr_info(1)"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name for name in ours if f"Q({name})\n" not in said}


def _defined(stub: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(stub.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found
