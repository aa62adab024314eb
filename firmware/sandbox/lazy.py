"""Modules that are needed for a moment only: loaded when they are, given up for the garbage
collector afterwards. A plain ESP32 begins with a heap of 56 KB, and what stays of it decides
whether TLS finds its memory.
"""

import asyncio
import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Coroutine


def borrow(name: str) -> "Any":
    """Return the module `sandbox.<name>`; its memory is free again once the caller drops it.

    Raises ImportError when there is no such module.
    """
    path = "sandbox." + name
    gc.collect()  # so that the module does not split the free space
    __import__(path)
    module = sys.modules.pop(path)
    parent, _, last = path.rpartition(".")
    delattr(sys.modules[parent], last)
    return module


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
