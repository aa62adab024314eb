"""Builds what the firmware is type-checked against: a stock ESP32 build's library, nothing more.

It is made of the published stubs (PyPI `micropython-esp32-stubs`, `micropython-stdlib-stubs`),
laid out as a mypy typeshed, so that mypy knows no CPython module at all. Two things are mended:

- The stdlib half is cut-down CPython: its `os` has `fork`. Modules of which the firmware could use
  a name that no board has are reduced to STOCK_NAMES.
- What the stubs forgot is added: ADDITIONS, and asyncio's one class for both directions (STREAM).
"""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

from host_tools.errors import ToolError

_PACKAGES = ("micropython-stdlib-stubs", "micropython-esp32-stubs")

# Sources: micropython v1.29 extmod/mod{os,json,re,asyncio}.c, py/mod{struct,collections}.c,
# extmod/asyncio/*.py and ports/esp32/mpconfigport.h.
STOCK_NAMES = {
    "os": "chdir dupterm dupterm_notify getcwd ilistdir listdir mkdir mount remove rename rmdir"
    " stat statvfs sync umount uname unlink urandom VfsFat VfsLfs2",
    "json": "dump dumps load loads",
    "re": "compile match search sub",
    "struct": "calcsize pack pack_into unpack unpack_from",
    "collections": "OrderedDict deque namedtuple",
    "asyncio": "CancelledError Event Lock Task ThreadSafeFlag TimeoutError"
    " create_task current_task gather get_event_loop new_event_loop run sleep sleep_ms"
    " wait_for wait_for_ms",
}

# Modules that typeshed needs inside but no board can import.
_HIDDEN = ("__future__", "enum", "sre_compile", "sre_constants", "sre_parse")

# Source: extmod/modtls_mbedtls.c, ssl_context_attr().
ADDITIONS = {
    "tls.pyi": ("class SSLContext:\n", "class SSLContext:\n    verify_mode: int\n"),
}

# Source: extmod/asyncio/stream.py.
STREAM = """
from typing import Any, Awaitable, Callable

class Stream:
    s: Any
    def __init__(self, s: Any, e: dict[str, Any] = {}) -> None: ...
    def get_extra_info(self, v: str) -> Any: ...
    def close(self) -> None: ...
    async def wait_closed(self) -> None: ...
    async def read(self, n: int = -1) -> bytes: ...
    async def readinto(self, buf: bytearray | memoryview) -> int: ...
    async def readexactly(self, n: int) -> bytes: ...
    async def readline(self) -> bytes: ...
    def write(self, buf: bytes | bytearray | memoryview) -> None: ...
    async def drain(self) -> None: ...

StreamReader = Stream
StreamWriter = Stream

async def open_connection(
    host: str, port: int, ssl: Any = None, server_hostname: str | None = None
) -> tuple[Stream, Stream]: ...
async def start_server(
    cb: Callable[[Stream, Stream], Awaitable[None]],
    host: str,
    port: int,
    backlog: int = 5,
    ssl: Any = None,
) -> Any: ...
"""
STREAM_NAMES = ("StreamReader", "StreamWriter", "open_connection", "start_server")


def build(folder: Path) -> Path:
    """Make the stub library in `folder`, anew, and return it: mypy's --custom-typeshed-dir."""
    shutil.rmtree(folder, ignore_errors=True)
    library = folder / "stdlib"
    for package in _PACKAGES:
        _copy(package, library)
    for module, names in STOCK_NAMES.items():
        _reduce(library, module, names.split())
    for name, (old, new) in ADDITIONS.items():
        _replace(library / name, old, new)
    _add_streams(library / "asyncio")
    _write_versions(library)
    return folder


def _copy(package: str, library: Path) -> None:
    distribution = importlib.metadata.distribution(package)
    for entry in distribution.files or ():
        path = Path(entry)
        if path.suffix != ".pyi":
            continue
        if path.parts[0] == "stubs":  # mypy_extensions, which mypy wants to find beside the stdlib
            target = library.parent / path
        else:
            target = library.joinpath(*path.parts[path.parts[0] == "stdlib" :])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(distribution.locate_file(entry)), target)


def _reduce(library: Path, module: str, names: list[str]) -> None:
    # The full stub moves aside inside its own package, where its relative imports still work.
    package = library / module
    if not package.is_dir():
        package.mkdir()
        (library / f"{module}.pyi").rename(package / "__init__.pyi")
    (package / "__init__.pyi").rename(package / "_full.pyi")
    lines = [f"from ._full import {name} as {name}\n" for name in names]
    (package / "__init__.pyi").write_text("".join(lines))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise ToolError(
            f"the published stub {path.name} has changed: no {old!r}",
            "mend host_tools/esp32_stubs.py",
        )
    path.write_text(text.replace(old, new))


def _add_streams(package: Path) -> None:
    (package / "stream.pyi").write_text(STREAM)
    with (package / "__init__.pyi").open("a") as init:
        init.writelines(f"from .stream import {name} as {name}\n" for name in STREAM_NAMES)


def _write_versions(library: Path) -> None:
    # The format of typeshed's stdlib/VERSIONS; a module that ended with Python 3.0 is not found.
    modules = sorted({path.name.removesuffix(".pyi") for path in library.iterdir()})
    lines = [f"{module}: 3.0-{'3.0' if module in _HIDDEN else ''}\n" for module in modules]
    (library / "VERSIONS").write_text("".join(lines))
