"""What the commands print: progress to a person on stderr, results on stdout, JSON for scripts."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any


def say(text: str) -> None:
    """Tell the person what is going on. Goes to stderr, so that stdout holds results only."""
    print(text, file=sys.stderr, flush=True)


def say_command(argv: Sequence[str]) -> None:
    """Show the raw command that does the same as the step under way."""
    say("  $ " + shlex.join(argv))


def time_of_day(t: float) -> str:
    """Return the local time of a Unix time: 14:03:07.042."""
    seconds, ms = divmod(int(t * 1000), 1000)
    return time.strftime("%H:%M:%S", time.localtime(seconds)) + f".{ms:03d}"


@contextlib.contextmanager
def if_interrupted(left: str) -> Iterator[None]:
    """Let a Ctrl-C inside the block tell what is left running or half done; the innermost that
    has something to say tells.

    `host_tools.__main__.main` prints it.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if left and not getattr(interrupt, "__notes__", []):
            interrupt.add_note(left)
        raise


class Ticker:
    """Tells of a wait that lasts: once, and on a terminal with the seconds."""

    def __init__(self, text: str, most_s: float) -> None:
        self._text = text
        self._most_s = most_s
        self._begun = time.monotonic()
        self._seconds = 0
        self._on_terminal = sys.stderr.isatty()
        self._is_shown = False

    def tick(self) -> None:
        """Tell, if another second is over."""
        seconds = int(time.monotonic() - self._begun)
        if seconds == self._seconds:
            return
        if self._on_terminal:
            line = f"\r  {self._text}: {seconds} of {self._most_s:g} s\x1b[K"
            print(line, end="", file=sys.stderr, flush=True)
            self._is_shown = True
        elif not self._seconds:
            say(f"  {self._text}, at most {self._most_s:g} s")
        self._seconds = seconds

    def clear(self) -> None:
        """Take the seconds away, before anything else is printed and at the end."""
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_shown = False


def result(text: str) -> None:
    """Print a result line on stdout."""
    print(text, flush=True)


def result_json(value: Any) -> None:
    """Print a result as one JSON document on stdout."""
    print(json.dumps(value, indent=2, sort_keys=True, default=str), flush=True)
