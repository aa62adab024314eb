"""Ends a command in order when it is told to end, so that what it holds is let go."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP (the terminal was closed) into SystemExit inside the block."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, _end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # as a shell has it for a process that a signal has ended
