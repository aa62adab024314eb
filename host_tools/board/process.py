"""One run of MicroPython: from a reset to the next one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path

_RUNNING = (
    termios.NOFLSH
)  # a harmless terminal flag: set while a program runs, cleared while the REPL reads
_CTRL_C = 3
_INPUT_LIMIT = 256 * 1024
_INTERRUPT_GRACE_S = 0.05
_INTERRUPT_POLL_S = 0.001
_TICKS_S = os.sysconf("SC_CLK_TCK")


class MicroPythonProcess:
    """A running interpreter: its terminal, its control pipe, its end.

    The terminal is its controlling one, so that it dies with the supervisor. The Unix port
    switches the terminal's local flags off while its REPL reads and restores them while a program
    runs; the supervisor sees that on its side of the PTY and so knows what Ctrl-C means.
    """

    def __init__(self, command: list[str], environment: dict[str, str], raw_repl: bool) -> None:
        self.fd, slave = pty.openpty()
        _set_modes(slave)
        self.control_fd, control = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self.control_fd, False)
        self._input = bytearray(b"\x01" if raw_repl else b"")
        self._control = b""
        self._interrupt_since: float | None = None
        self._interrupt_char = _CTRL_C
        self.up = False
        self._popen = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "VB_CONTROL": str(control)},
            pass_fds=(control,),
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        os.close(control)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def wants_write(self) -> bool:
        return bool(self._input) and self._interrupt_since is None

    @property
    def takes_input(self) -> bool:
        return len(self._input) < _INPUT_LIMIT

    def read(self) -> bytes | None:
        """Return what it printed, b"" if nothing, None when it has ended."""
        try:
            return os.read(self.fd, 65536) or None
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:  # EIO: no process has the terminal open
            return None

    def read_control(self) -> list[str]:
        """Return the lines it sent through the control pipe."""
        try:
            self._control += os.read(self.control_fd, 65536)
        except (BlockingIOError, InterruptedError):
            return []
        *lines, self._control = self._control.split(b"\n")
        return [line.decode() for line in lines]

    def send(self, data: bytes) -> None:
        """Type `data`. Ctrl-C interrupts a running program at once, ahead of what waits, as
        the UART's ISR does.
        """
        self._input += self._without_interrupt(data)
        self.flush()

    def flush(self) -> None:
        """Go on typing what is waiting; what is behind a Ctrl-C waits for what that leads to."""
        while self.wants_write:
            try:
                del self._input[: os.write(self.fd, self._input[:1024])]
            except OSError:  # full, or gone
                return

    def interrupt_due(self) -> float | None:
        """Deliver a waiting Ctrl-C if it is time; return after how many seconds to ask again.

        The Unix port raises KeyboardInterrupt out of its signal handler, wherever the program is
        (MICROPY_ASYNC_KBD_INTR). So it is sent when the process sleeps, not in the middle of a
        file system's C code; a program that never sleeps gets it when it has worked for 50 ms.
        """
        if self._interrupt_since is None or not self.up:
            return None
        if not self._program_runs():  # it has ended meanwhile, and the REPL's SIGINT would kill it
            self._interrupt_since = None
            return None
        sleeps, worked_s = self._condition()
        if not sleeps and worked_s - self._interrupt_since <= _INTERRUPT_GRACE_S:
            return _INTERRUPT_POLL_S
        self._interrupt_since = None
        self._popen.send_signal(signal.SIGINT)
        return None

    def _condition(self) -> tuple[bool, float]:
        # whether it sleeps, and for how many seconds it has worked; waiting for a processor is
        # neither: then it may be on its way to the REPL, which SIGINT would kill
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # no /proc on this system
            return True, time.monotonic()
        return fields[0] == "S", (int(fields[11]) + int(fields[12])) / _TICKS_S

    def set_interrupt_char(self, char: int) -> None:
        """Set the character that interrupts a program, -1 for none; lasts until the REPL reads
        again.
        """
        self._interrupt_char = char

    def kill(self) -> None:
        """End it in mid-flight."""
        self._popen.kill()
        self._popen.wait()

    def close(self) -> None:
        """Reap it and close what it was reached by."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=1)
        self.kill()
        os.close(self.fd)
        os.close(self.control_fd)

    def _without_interrupt(self, data: bytes) -> bytes:
        if not self._program_runs():
            self._interrupt_char = (
                _CTRL_C  # each run of a program re-arms it (shared/runtime/pyexec.c)
            )
            return data
        key = bytes([self._interrupt_char]) if self._interrupt_char >= 0 else b""
        if not key or key not in data:
            return data
        self._interrupt_since = self._condition()[1]
        return data.replace(key, b"")

    def _program_runs(self) -> bool:
        return bool(termios.tcgetattr(self.fd)[3] & _RUNNING)


def _set_modes(fd: int) -> None:
    # every byte as it is, both ways; no signal characters
    modes = termios.tcgetattr(fd)
    modes[0] = modes[1] = 0
    modes[3] = _RUNNING
    modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, modes)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
