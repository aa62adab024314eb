"""What the console for people prints above its prompt."""

from __future__ import annotations

import sys

from host_tools.console import colours
from host_tools.console.protocol import Line
from host_tools.console.vocabulary import Vocabulary
from host_tools.errors import ToolError

_CHATTER = ("I", "D")  # log levels that `events off` hides


class Screen:
    """Prints lines above the prompt, in colours if the terminal has them.

    `quiet`: answers are not shown; `events`: nor, if False, what the board says of its own accord,
    warnings apart; `log_is_answer`: the command under way is `log`, whose answer looks the same.
    """

    def __init__(self, *, events: bool = True) -> None:
        self.vocabulary = Vocabulary()
        self.quiet = False
        self.events = events
        self.log_is_answer = False
        self.hidden = 0
        self._coloured = colours.wanted(sys.stdout)

    def show(self, line: Line) -> None:
        """Print one of the board's lines, and learn from it."""
        self.vocabulary.learn(line)
        if line.log_level or line.is_event:
            is_chatter = line.is_event or line.log_level in _CHATTER
            shown = self.events or self.log_is_answer or not is_chatter
            self.hidden += not shown
        else:
            shown = not self.quiet
        if shown:
            print(colours.paint(line.text, colours.of(line), self._coloured), flush=True)

    def note(self, text: str) -> None:
        """Print a remark of the console's own."""
        print(colours.paint(f"-- {text}", colours.YELLOW, self._coloured), flush=True)

    def error(self, error: ToolError) -> None:
        """Print what went wrong, and go on."""
        print(colours.paint(f"-- {error.message}", colours.RED, self._coloured), flush=True)
        if error.hint:
            print(f"   try: {error.hint}", flush=True)
