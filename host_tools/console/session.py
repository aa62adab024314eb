"""A conversation with the sandbox on a board that lasts over resets and unplugged cables.

A thread reads the serial port. Every line goes to `show`, the session's own remarks to `note`,
both in that thread. `command` waits for the board's answer in the caller's thread. A board that
has been reset starts in its manners for people, so the thread asks for machine mode again; a
device that has gone is tried until it is back.
"""

from __future__ import annotations

import contextlib
import enum
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from host_tools.console.greeting import Greeting
from host_tools.console.port import Port, PortGoneError
from host_tools.console.protocol import (
    MACHINE,
    PERSON,
    Answer,
    Decoder,
    Item,
    Line,
    Ready,
    Repl,
    Resetting,
    Started,
    Status,
)
from host_tools.errors import ToolError
from host_tools.target import Target

Show = Callable[[Line], None]
Note = Callable[[str], None]
_ASK_AGAIN_S = 1.0
_REOPEN_S = 0.2
_LEAVE_S = 5.0


class State(enum.Enum):
    """How things stand with the board."""

    READY = "ready"
    RESTARTING = "restarting"
    GONE = "gone"
    ENDED = "ended"  # the application has; the MicroPython REPL waits


class AtReplError(ToolError):
    """No sandbox runs on the board: the MicroPython REPL waits."""


class LostError(ToolError):
    """The board was reset, or went, before it answered. `lines` are those that came."""

    def __init__(self, message: str, hint: str, lines: list[str]) -> None:
        super().__init__(message, hint)
        self.lines = lines


@dataclass(eq=False)
class Asked:
    """A command that has been sent, and what has come for it."""

    line: str
    lines: list[str] = field(default_factory=list)
    status: int | None = None
    is_lost: bool = False  # the board was reset, or went, before it answered

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.is_lost or self.status is not None

    @property
    def reboots(self) -> bool:
        """Whether a reset of the board is what was asked for."""
        return self.line.startswith("run ") and "reboot" in self.line.lower()


class Session:
    """The conversation. Use it as a context manager; `board` is what the board said of itself."""

    board: Ready

    def __init__(self, target: Target, show: Show, note: Note) -> None:
        self.target = target
        self.label = target.label
        self.state = State.RESTARTING
        self.on_end: Callable[[], None] = lambda: None
        self._show = show
        self._note = note
        self._changed = threading.Condition()
        self._waiting: list[Asked] = []
        self._earlier = 0  # commands from before this session that the board still answers
        self._ask_at = 0.0
        self._closing = False
        self._decoder = Decoder()
        self._port = Port(target)
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def open(self, *, may_start: Callable[[], bool]) -> None:
        """Find the sandbox on the board and begin to listen.

        At the MicroPython REPL `may_start()` is asked whether to start it. Raises ToolError.
        """
        try:
            self._greet(may_start)
        except PortGoneError as error:
            raise ToolError(f"the {self.label} is gone", "plug it in, switch it on") from error
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="console", daemon=True)
        self._thread.start()

    def restart(self) -> None:
        """Start the sandbox again, from the REPL it has ended in. Raises ToolError."""
        self._stop_listening()
        self.open(may_start=lambda: True)

    def command(self, line: str, timeout_s: float) -> Answer:
        """Let the board do a command, and return its answer, whatever its status.

        Raises ToolError if the board is not there, is reset meanwhile, or does not answer in time.
        """
        return self.answer(self.send(line), timeout_s)

    def send(self, line: str) -> Asked:
        """Send a command; the board does it after those that it has not answered yet.

        Raises ToolError if the board is not there.
        """
        with self._changed:
            self._raise_failure()
            if self.state is not State.READY:
                raise self._not_ready(f"`{line}` was not sent")
            asked = Asked(line)
            self._waiting.append(asked)
            self._write(line.encode() + b"\n")
            return asked

    def is_over(self, asked: Asked, timeout_s: float) -> bool:
        """Wait until a command is answered, or cannot be any more; say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: asked.is_over, timeout_s)

    def answer(self, asked: Asked, timeout_s: float) -> Answer:
        """Wait for the answer to a command. Raises as `command`, LostError if it was lost."""
        self.is_over(asked, timeout_s)
        with self._changed:
            self._raise_failure()
            if asked.status is not None:
                return Answer(asked.line, asked.status, asked.lines)
            if asked.is_lost:
                error = self._not_ready(f"`{asked.line}` was not answered")
                if self.state is State.ENDED:
                    raise error
                raise LostError(error.message, error.hint, asked.lines)
            earlier = self._earlier
        longer = "it goes on there; a longer --timeout waits for it"
        if earlier:
            raise ToolError(
                f"the {self.label} did not get to `{asked.line}` within {timeout_s:g} s: it still "
                "does an earlier command, and does this one after it",
                "a longer --timeout; its reset button ends what it does",
            )
        raise ToolError(
            f"the {self.label} did not answer `{asked.line}` within {timeout_s:g} s",
            longer if asked.line.startswith("run ") else "again; `status`; its reset button",
        )

    @property
    def unanswered(self) -> list[str]:
        """The commands that the board has not answered yet, in its order."""
        with self._changed:
            return [asked.line for asked in self._waiting]

    def wait_until_ended(self) -> None:
        """Wait for the application to end, as it does after `quit`. Raises ToolError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.state is State.ENDED, _LEAVE_S):
                raise ToolError(f"the sandbox on the {self.label} does not end", "again")

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Wait until the board is there and can be asked."""
        with self._changed:
            return self._changed.wait_for(lambda: self.state is State.READY, timeout_s)

    def close(self) -> None:
        """Leave; the application goes on, with its manners for people."""
        self._stop_listening()
        if self.state is not State.ENDED:
            with contextlib.suppress(PortGoneError):
                self._port.write(PERSON)
        self._port.close()

    def _greet(self, may_start: Callable[[], bool]) -> None:
        greeting = Greeting(self._port, self._decoder)
        found = greeting.find()
        if isinstance(found, Repl):
            self.state = State.ENDED
            if not may_start():
                raise AtReplError(
                    f"the {self.label} is at the MicroPython REPL", self._repl_hint()
                )
            found = greeting.start()
        self.state = State.READY
        for line in greeting.lines:
            self._show(line)
        self._meet(found)
        for item in greeting.left:
            self._take(item)

    def _stop_listening(self) -> None:
        self._closing = True
        self._port.wake()
        if self._thread is not None:
            self._thread.join()

    # In the listening thread

    def _listen(self) -> None:
        try:
            while not self._closing:
                self._listen_once()
        except Exception as error:  # the reader of our output has left, for instance
            self._failure = error
            self._enter(State.GONE)

    def _listen_once(self) -> None:
        try:
            for item in self._decoder.feed(self._port.read()):
                self._take(item)
            self._ask_again()
        except PortGoneError:
            if not self._closing:
                self._find_again()

    def _take(self, item: Item) -> None:
        if isinstance(item, Line):
            self._on_line(item)
        elif isinstance(item, Status):
            self._on_status(item)
        elif isinstance(item, Ready):
            self._on_ready(item)
        elif isinstance(item, Repl):
            self._enter(State.ENDED)
            self.on_end()
        else:
            self._on_reset(item)

    def _on_line(self, item: Line) -> None:
        if self._earlier and not (item.log_level or item.is_event):
            self._note(f"of an earlier command: {item.text}")
            return
        with self._changed:
            for asked in self._waiting[:1]:
                asked.lines.append(item.text)
        self._show(item)

    def _on_status(self, item: Status) -> None:
        # commands are answered in their order, those that nobody waits for any longer included
        with self._changed:
            if self._earlier:
                self._earlier -= 1
            elif self._waiting:
                self._waiting.pop(0).status = item.code
                self._changed.notify_all()

    def _on_reset(self, item: Resetting | Started) -> None:
        if self.state is not State.RESTARTING:
            self._note("the board restarts")
            self._enter(State.RESTARTING)
        self._ask_at = time.monotonic() + _ASK_AGAIN_S
        if isinstance(item, Started):
            self._port.write(MACHINE)

    def _meet(self, board: Ready) -> None:
        self.board = board
        if self._waiting:
            return  # they are among the undone ones
        self._earlier = board.undone
        if self._earlier:
            self._note("the board still does an earlier command; what you ask comes after it")

    def _on_ready(self, item: Ready) -> None:
        self._meet(item)
        if self.state is not State.READY:
            self._note(f"connected again: Jobs Sandbox {item.version} on {item.board}")
            self._enter(State.READY)

    def _ask_again(self) -> None:
        # Bytes sent to a board that is just starting may be lost.
        if self.state is State.RESTARTING and time.monotonic() > self._ask_at:
            self._port.write(MACHINE)
            self._ask_at = time.monotonic() + _ASK_AGAIN_S

    def _find_again(self) -> None:
        self._note(f"the {self.label} is gone; waiting for it to come back")
        self._enter(State.GONE)
        while not self._closing and not self._port.reopen():
            time.sleep(_REOPEN_S)
        if self._closing:
            return
        self._decoder = Decoder()
        self._enter(State.RESTARTING)
        self._ask_at = 0.0

    def _enter(self, state: State) -> None:
        with self._changed:
            if state is not State.READY:
                for asked in self._waiting:
                    asked.is_lost = True
                self._waiting.clear()
                self._earlier = 0
            self.state = state
            self._changed.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(PortGoneError):  # the listening thread notices, too, and tells
            self._port.write(data)

    def _not_ready(self, what: str) -> ToolError:
        if self.state is State.ENDED:
            return ToolError(
                f"{what}: the sandbox on the {self.label} has ended", self._repl_hint()
            )
        return ToolError(f"{what}: the {self.label} {_WHY[self.state]}", "again in a moment")

    def _repl_hint(self) -> str:
        start, deploy = self.target.command("console --start"), self.target.command("deploy")
        return f"{start}, or {deploy} if there is no sandbox on it"


_WHY = {
    State.READY: "has been restarted",
    State.RESTARTING: "is restarting",
    State.GONE: "is gone",
}
