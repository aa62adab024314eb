"""The board as the demo watches it: what it prints, and what its pins do.

Answers and events must come one by one as expected, so one too many is noticed, too: it is in the
way of the next. Lines of the log are looked for.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from host_tools import boards
from host_tools.board import Edge, VirtualBoard, edges
from host_tools.console import Session
from host_tools.console.protocol import DONE, Line
from host_tools.demo.stage import Stage
from host_tools.target import Target

_PATIENCE_S = 20.0
_Found = TypeVar("_Found")


class BoardView:
    """Types commands and waits for what must follow; raises DemoError when it does not."""

    def __init__(self, stage: Stage, board: VirtualBoard) -> None:
        self.board = board
        self._stage = stage
        self._changed = threading.Condition()
        self._facts: list[Line] = []  # answers and events not yet asked for
        self._log: list[str] = []
        self._edges: list[Edge] = []
        self._names = {pin.gpio: name for name, pin in boards.load("virtual").pins.items()}
        self._session = Session(
            Target(board.device, board, lasts=False), self._on_line, stage.remark
        )

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch serial line and pins inside the block."""
        ended = threading.Event()
        pins = threading.Thread(target=self._follow_pins, args=(ended.is_set,), daemon=True)
        with self._session:
            self._session.open(may_start=lambda: False)
            pins.start()
            try:
                yield
            finally:
                ended.set()
                pins.join()

    def command(self, line: str) -> list[str]:
        """Type a command; return the lines that came until it was done."""
        self._stage.typed(line)
        answer = self._session.command(line, _PATIENCE_S)
        self._stage.require(f"exit status of {line}", answer.status, DONE)
        return answer.lines

    def ask(self, line: str) -> Any:
        """Type a command and return the JSON that it answers with."""
        self.command(line)
        return self._next_fact(f"the answer to {line.split()[0]}", line.split()[0])

    def event(self, name: str) -> Any:
        """Return the next event, which must be of that name."""
        return self._next_fact(f"the event {name}", name)

    def no_more(self) -> None:
        """Make sure that no answer or event has come that nobody asked for."""
        with self._changed:
            self._stage.require("unexpected lines", [each.text for each in self._facts], [])

    def forget_events(self) -> None:
        """Pass over the answers and events there are."""
        with self._changed:
            self._facts.clear()

    def logged(self, pattern: str) -> re.Match[str]:
        """Wait for a line of the log; lines before it are passed over."""

        def look() -> re.Match[str] | None:
            while self._log:
                if found := re.search(pattern, self._log.pop(0)):
                    return found
            return None

        return self._wait(look, f"a log line {pattern!r}")

    def edge(self, name: str, value: int) -> Edge:
        """Wait until the pin of that name is driven to `value`; what was before is passed over."""

        def look() -> Edge | None:
            while self._edges:
                edge = self._edges.pop(0)
                if (self._names.get(edge["pin"]), edge["value"]) == (name, value):
                    return edge
            return None

        return self._wait(look, f"pin {name} at {value}")

    def ready_again(self) -> None:
        """Wait until the board has restarted and its console answers."""
        if not self._session.wait_until_ready(_PATIENCE_S):
            raise self._stage.failed("the board did not come back after its reset")

    def _next_fact(self, what: str, name: str) -> Any:
        line = self._wait(lambda: self._facts.pop(0) if self._facts else None, what)
        found, value = line.content or ("", None)
        if found != name:
            raise self._stage.failed(f"{line.text!r} instead of {what}")
        return value

    def _wait(self, look: Callable[[], _Found | None], what: str) -> _Found:
        deadline = time.monotonic() + _PATIENCE_S
        with self._changed:
            while (found := look()) is None:
                if not self._changed.wait(deadline - time.monotonic()):
                    raise self._stage.failed(f"{what} did not come within {_PATIENCE_S:g} s")
            return found

    def _on_line(self, line: Line) -> None:
        self._stage.board(line)
        with self._changed:
            if line.content:
                self._facts.append(line)
            elif line.log_level:
                self._log.append(line.text)
            self._changed.notify_all()

    def _follow_pins(self, ended: Callable[[], bool]) -> None:
        for edge in edges.follow(self.board.files, past=False, until=ended):
            name = self._names.get(edge["pin"], "")
            moment = (
                time.strftime("%H:%M:%S", time.localtime(edge["t"])) + f"{edge['t'] % 1:.3f}"[1:]
            )
            value = "released" if edge["value"] == "z" else edge["value"]
            self._stage.pin(f"{moment} GPIO{edge['pin']} {name}: {value}")
            with self._changed:
                self._edges.append(edge)
                self._changed.notify_all()
