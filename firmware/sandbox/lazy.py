"""Modules that are needed for a moment only: loaded when they are, given up for the garbage
collector afterwards. A plain ESP32 begins with a heap of 56 KB, and what stays of it decides
whether TLS finds its memory.
"""

import asyncio
import gc
import os
import sys

import vfs
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Coroutine

# Bytes that are allocated between collections: with lent modules there is less room for garbage,
# half of what is free beyond a reserve, within limits
_TIGHT, _LOOSE, _EASY = const(768), const(2048), const(4096)
_RESERVE = const(8704)
_LENT = "/lent"
_NAME = "lent"
_FULL_NAME = "sandbox." + _NAME


def borrow(name: str) -> "Any":
    """Return the module `sandbox.<name>`; its memory is free again once the caller drops it.

    It is imported as `sandbox.lent`, whatever folder it lies in. Raises ImportError when there is
    no such module, and what it raises itself.
    """
    package: "Any" = sys.modules["sandbox"]
    shelf = _Shelf(package.__path__, name.replace(".", "/"))
    gc.collect()  # so that the module does not split the free space
    gc.threshold(min(max((gc.mem_free() - _RESERVE) // 2, _TIGHT), _LOOSE))
    vfs.mount(shelf, _LENT)
    package.__path__ = _LENT
    try:
        __import__(_FULL_NAME)
    except ImportError:
        if shelf.crowded:
            raise MemoryError(name)
        raise
    finally:
        package.__path__ = shelf.folder
        vfs.umount(_LENT)
        # of an import that failed, too: it must not be lent the next time
        module: "Any" = sys.modules.pop(_FULL_NAME, None)
    delattr(package, _NAME)
    module.__file__ = shelf.folder + "/" + shelf.lent
    return module


def relax() -> None:
    """Collect garbage more rarely, until the next module is lent: a job or its like is done."""
    gc.threshold(_EASY)


class _Shelf:
    # The package's folder as a file system, in which the module that is lent has one name more.
    # MicroPython keeps the name of every module and the path of every file that it imports, for
    # ever (py/builtinimport.c), 60 bytes together: all that are lent have the same.

    def __init__(self, folder: str, lent: str) -> None:
        self.folder = folder
        self.lent = lent
        self.crowded = False  # it was not found for want of memory

    def mount(self, _read_only: bool, _make: bool) -> None:
        pass

    def umount(self) -> None:
        pass

    def stat(self, path: str) -> tuple:
        try:
            return os.stat(self._real(path))
        except MemoryError:
            self.crowded = True
            raise

    def open(self, path: str, mode: str) -> "Any":
        return open(self._real(path), mode)

    def _real(self, path: str) -> str:
        name, dot, end = path[1:].partition(".")
        return self.folder + "/" + (self.lent if name == _NAME else name) + dot + end


def spawn(coroutine: "Coroutine") -> "Any":
    """Return a task that runs a coroutine of a borrowed module, and forgets it when it ends.

    A task that has ended still holds its coroutine, thus the module; and another task may hold it
    for long, by a stale pointer (`child_last` of py/pairheap.c).
    """
    return asyncio.create_task(_run([coroutine]))


async def _run(box: list) -> "Any":
    try:
        result = await box.pop()
    finally:
        pass  # an exception takes the coroutine's place on the stack
    return result
