"""A virtual board for the time of one command: erased at its start, gone at its end.

It has a name that no board of the user's has, running or not; two commands at the same time have
one each. It ends with this process even if that is killed. What is left of it then, its flash with
a private key in it, is removed by the next command that takes the name.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from host_tools.board import VirtualBoard
from host_tools.board.virtual_board import DEFAULT_HEAP
from host_tools.paths import home

_OWNER = "private"  # a file in the folder of such a board, locked while it is in use


@contextlib.contextmanager
def private_board(prefix: str, *, heap: str = DEFAULT_HEAP) -> Iterator[VirtualBoard]:
    """Start a board named `prefix`, or `prefix-2` and so on, for the block; then remove it."""
    board, lock = _take_free(prefix)
    try:
        board.start(erase=True, bound=True, heap=heap)
        yield board
    finally:
        board.stop()
        shutil.rmtree(board.files.folder, ignore_errors=True)
        os.close(lock)


def _take_free(prefix: str) -> tuple[VirtualBoard, int]:
    # a board that never was, or was left by a command that has ended; the lock is held till closed
    for number in itertools.count(1):
        board = VirtualBoard(prefix if number == 1 else f"{prefix}-{number}")
        folder = home() / "boards" / board.name
        if folder.exists() and not (folder / _OWNER).exists():
            continue
        if (lock := _lock(board.files.folder / _OWNER)) is not None:
            return board, lock
    raise AssertionError("unreachable")


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
