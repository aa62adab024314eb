"""Does something again whenever files under a folder have been saved, until it is interrupted."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from host_tools.errors import ToolError
from host_tools.output import say

_LOOK_EVERY_S = 0.4


def watch(
    folder: Path, again: Callable[[], object], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Call `again` after each change, when files have been quiet for a moment. A ToolError in it,
    of source that does not compile for instance, is told, and the next change tried.
    """
    seen = _state(folder)  # before the word is out: who saves upon it must be heard
    say(f"watching {folder}; Ctrl-C ends it")
    while True:
        sleep(_LOOK_EVERY_S)
        now = _state(folder)
        if now == seen:
            continue
        while seen != now:  # an editor that saves several files at once
            seen = now
            sleep(_LOOK_EVERY_S)
            now = _state(folder)
        try:
            again()
        except ToolError as error:
            say(f"{error.message}\n  try: {error.hint}")


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # removed meanwhile
            if path.is_file() and "__pycache__" not in path.parts:
                status = path.stat()
                found[path] = (status.st_mtime_ns, status.st_size)
    return found
