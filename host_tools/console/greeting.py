"""Finds out what runs on a board, and starts the sandbox if the MicroPython REPL waits there.

RS first, for the sandbox answers it at once and everything else ignores it; then CR, which makes
the REPL show its prompt; then Ctrl-B, which leads out of the raw REPL that a tool has left open
(and RS again, which makes the sandbox forget the Ctrl-B).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from host_tools.console.port import Port
from host_tools.console.protocol import (
    ENTER,
    FRIENDLY,
    MACHINE,
    SOFT_RESET,
    Decoder,
    Item,
    Line,
    Ready,
    Repl,
    Started,
)
from host_tools.errors import ToolError

# (what is sent, how long an answer is waited for); a TLS handshake holds up a board for 1 to 3 s
_ATTEMPTS = ((MACHINE, 0.3), (ENTER, 3.0), (FRIENDLY + MACHINE, 1.0))
_START_S, _AGAIN_S = 30.0, 2.0
_SHOWN_LINES = 8


class Greeting:
    """The first words with a board. `lines` are those that came meanwhile, `left` is what came
    behind what was found.
    """

    def __init__(self, port: Port, decoder: Decoder) -> None:
        self._port = port
        self._decoder = decoder
        self.lines: list[Line] = []
        self.left: list[Item] = []

    def find(self) -> Ready | Repl:
        """Return what runs there; the sandbox is in machine mode then.

        Raises ToolError for a board that is silent or runs something else.
        """
        for question, limit_s in _ATTEMPTS:
            self._port.write(question)
            for item in self._items(limit_s):
                if isinstance(item, Started):  # it has just started: it may have missed the RS
                    self._port.write(MACHINE)
                if isinstance(item, Ready | Repl):
                    return item
        raise self._no_sandbox()

    def start(self) -> Ready:
        """Start the sandbox from the REPL by a soft reset. Raises ToolError if it ends at once."""
        self.lines.clear()
        self._port.write(SOFT_RESET)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            for item in self._items(_AGAIN_S):
                if isinstance(item, Started):
                    self._port.write(MACHINE)
                if isinstance(item, Ready):
                    return item
                if isinstance(item, Repl):
                    raise self._ended_at_once()
            self._port.write(MACHINE)
        raise self._no_sandbox()

    def _items(self, limit_s: float) -> Iterator[Item]:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            self.left = self._decoder.feed(self._port.read())
            while self.left:
                item = self.left.pop(0)
                if isinstance(item, Line):
                    self.lines.append(item)
                yield item

    def _no_sandbox(self) -> ToolError:
        if self.lines:
            return ToolError(
                f"the {self._port.label} does not run the sandbox; it says:\n{self._last_lines()}",
                f"{self._deploy()}, or Ctrl-C in `mpremote repl` to see what runs there",
            )
        return ToolError(
            f"the {self._port.label} is silent",
            "its reset button; the right port? MicroPython and the sandbox on it? "
            f"{self._deploy()}",
        )

    def _ended_at_once(self) -> ToolError:
        if not any(line.text.startswith("Traceback") or line.log_level for line in self.lines):
            return ToolError(f"there is no sandbox on the {self._port.label}", self._deploy())
        return ToolError(
            f"the sandbox on the {self._port.label} ended at once:\n{self._last_lines()}",
            self._deploy(),
        )

    def _deploy(self) -> str:
        return self._port.target.command("deploy")

    def _last_lines(self) -> str:
        return "\n".join("    " + line.text for line in self.lines[-_SHOWN_LINES:])
