"""The board's raw REPL, through mpremote, with every way to fail turned into a ToolError."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial import SerialException, SerialTimeoutException

from host_tools.deploy import scripts
from host_tools.deploy.port_trouble import GoneError, cannot_open, has_gone
from host_tools.errors import ToolError
from host_tools.real import listing

_ANSWER_S = 5  # longest silence of a board that works
_ATTEMPTS = 4  # a board in a TLS handshake or DNS look-up hears Ctrl-C only afterwards
_INTERRUPT_S = 2.5
_QUIET_MS = 2_000_000_000  # as long as a watchdog can be told to wait, 23 days
_ENOSPC = ("ENOSPC", "OSError: 28")
# What mpremote raises when a board sends nothing, or something else, or takes no more.
_NO_ANSWER = (TransportError, SerialTimeoutException, struct.error, ValueError, SyntaxError)


_REOPEN_S = 15.0  # longest time for USB to come back after a reset
_LOOK_EVERY_S = 0.1


class NoAnswerError(ToolError):
    """There is a port, but what is on it does not answer as MicroPython does."""


class _Transport(SerialTransport):  # type: ignore[misc]
    # mpremote's own patience with silence is 10 s in places where no caller can change it
    def read_until(
        self, min_num_bytes: int, ending: bytes, timeout: float | None = None, **more: Any
    ) -> bytes:
        patience = _ANSWER_S if timeout is None else timeout
        return bytes(super().read_until(min_num_bytes, ending, timeout=patience, **more))


class RawRepl:
    """A connection to a board's serial port, in the raw REPL after `enter`.

    Keep the port's name as given: mpremote waits without end on names like /dev/pts/7, but not on
    a symbolic link to one.
    """

    def __init__(self, device: str, label: str) -> None:
        self._label = label
        self._device = device
        self._number = listing.serial_number(device)
        self._open()

    def _open(self) -> None:
        device, label = self._device, self._label
        if not (Path(device).exists() and os.access(device, os.R_OK | os.W_OK)):
            raise cannot_open(device, label)
        try:
            self._transport = _Transport(device, timeout=_ANSWER_S)
        except (TransportError, OSError) as error:
            raise cannot_open(device, label) from error
        self.serial: Any = self._transport.serial
        self.serial.write_timeout = _ANSWER_S

    def reopen(self) -> None:
        """Wait until the port is back, also under another name, and open it again.

        A board with USB of its own leaves it at a reset. Raises GoneError if it stays away.
        """
        self.close()
        deadline = time.monotonic() + _REOPEN_S
        while time.monotonic() < deadline:
            self._device = listing.find(self._number, self._device)
            with contextlib.suppress(ToolError):
                return self._open()
            time.sleep(_LOOK_EVERY_S)
        raise has_gone(self._device, self._label)

    def close(self) -> None:
        """Let the port go; whatever runs on the board goes on."""
        with contextlib.suppress(OSError):
            self._transport.close()
        # why again: on a port that is gone, the line above fails before it comes to this
        with contextlib.suppress(OSError):
            self.serial.close()

    def enter(self) -> None:
        """Break into whatever runs, calm its watchdog, and get a fresh interpreter.

        boot.py has run then, main.py has not. A port that goes at the reset is opened again.
        """
        try:
            self._persist(self._enter)
        except GoneError:
            self.reopen()
            self._persist(self._enter)

    def interrupt(self) -> None:
        """Break into whatever runs, and into whatever was half sent."""
        self._persist(self._interrupt)

    def run(self, script: str, *, timeout_s: float = _ANSWER_S) -> list[Any]:
        """Run a script and return the literals it printed. Raises ToolError if it raised."""
        with self.errors():
            output = self._run(script, timeout_s)
            return [ast.literal_eval(line) for line in output.splitlines() if line]

    def read(self, path: str) -> str:
        """Return the text of a file, "" if there is none, or none that is text."""
        *pieces, whole = self.run(scripts.READ.format(path=path))
        return "".join(map(str, pieces)) if whole else ""

    def leave(self) -> None:
        """Leave the raw REPL for the one that people use."""
        with self.errors():
            self._transport.exit_raw_repl()
            self._transport.read_until(1, b">>> ")

    def start_main(self) -> None:
        """Leave the raw REPL and soft-reset: boot.py and main.py run."""
        self.leave()
        with self.errors():
            self.serial.write(b"\x04")

    def _persist(self, action: Callable[[], None]) -> None:
        with self.errors():
            for _ in range(_ATTEMPTS - 1):
                with contextlib.suppress(TransportError):
                    return action()
            return action()

    def _enter(self) -> None:
        self._interrupt()
        self._run(scripts.CALM_WATCHDOG.format(timeout_ms=_QUIET_MS))
        self._transport.enter_raw_repl(soft_reset=True, timeout_overall=_ANSWER_S)

    def _interrupt(self) -> None:
        self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_INTERRUPT_S)

    def _run(self, script: str, timeout_s: float = _ANSWER_S) -> str:
        output, trouble = self._transport.exec_raw(script, timeout=timeout_s)
        if trouble:
            raise self._failed(trouble.decode(errors="replace").strip())
        return str(output.decode(errors="replace"))

    def _failed(self, trouble: str) -> ToolError:
        last = trouble.splitlines()[-1]
        if any(sign in last for sign in _ENOSPC):
            return ToolError(
                f"the {self._label} is full",
                f"remove what is not needed: mpremote connect {self._device} fs tree -s",
            )
        if "hash of " in last:
            name = last.rpartition("hash of ")[2]
            return ToolError(f"{name} did not reach the {self._label} as sent", "deploy again")
        if "MemoryError" in last:
            return ToolError(
                f"the {self._label} has no memory left: {last}", "reset it; try again"
            )
        return ToolError(f"the {self._label} failed: {last}", "deploy again")

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what mpremote and pyserial raise inside the block into ToolErrors."""
        try:
            # mpremote prints what it did not expect
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except _NO_ANSWER as error:
            if not Path(self._device).exists():
                raise has_gone(self._device, self._label) from error
            raise NoAnswerError(
                f"the {self._label} does not answer as MicroPython does ({error})",
                "press its reset button, or unplug and plug it in; is MicroPython on it?",
            ) from error
        except (SerialException, OSError) as error:
            raise has_gone(self._device, self._label) from error
