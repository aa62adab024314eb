"""What the audience sees: numbered steps, and who says what."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Sequence

from host_tools.console import colours
from host_tools.console.protocol import Line
from host_tools.errors import ToolError

_TYPING_S = 0.3


class DemoError(ToolError):
    """Something did not happen as it must."""


class Stage:
    """Prints the demo, on a terminal with colours and, unless `fast`, with pauses to read."""

    def __init__(self, *, fast: bool) -> None:
        self._coloured = colours.wanted(sys.stdout)
        self._pauses = sys.stdout.isatty() and not fast
        self._lock = threading.Lock()
        self._number = 0
        self._title = ""

    def step(self, title: str) -> None:
        """Begin a step and say what it does."""
        self._number += 1
        self._title = title
        self._print(f"\n{self._number}. {title}", colours.BOLD)

    def say(self, text: str) -> None:
        """Say something in our own words."""
        self._print(text, "")

    def shell(self, argv: Sequence[str]) -> None:
        """Show a command as a shell takes it."""
        self._print("  $ " + shlex.join(argv), colours.BLUE)

    def output(self, text: str) -> None:
        """Show what such a command printed."""
        for line in text.rstrip().splitlines():
            self._print("    " + line, "")

    def typed(self, command: str) -> None:
        """Show a command typed at the board's console; takes a moment, as typing does."""
        if self._pauses:
            time.sleep(_TYPING_S)
        self._print(f"board > {command}", colours.BLUE)

    def board(self, line: Line) -> None:
        """Show a line that the board printed."""
        self._print(f"board | {line.text}", colours.of(line))

    def pin(self, text: str) -> None:
        """Show what a pin did."""
        self._print(f"pin   | {text}", colours.YELLOW)

    def remark(self, text: str) -> None:
        """Show what the console remarks about the board."""
        self._print(f"board - {text}", colours.YELLOW)

    def require(self, what: str, found: object, wanted: object) -> None:
        """Raise DemoError unless what was found is what was wanted."""
        if found != wanted:
            raise self.failed(f"{what}: {found!r} instead of {wanted!r}")

    def failed(self, what: str) -> DemoError:
        """Return the error for this step."""
        return DemoError(
            f"the demo failed in step {self._number}, {self._title!r}: {what}",
            "`jobs-sandbox demo` again; `jobs-sandbox cloud log`",
        )

    def _print(self, text: str, colour: str) -> None:
        with self._lock:
            print(colours.paint(text, colour, self._coloured), flush=True)
