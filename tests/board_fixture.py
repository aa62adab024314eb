"""Private virtual boards for tests, to be imported by a conftest.py beside `sandbox_home`.

They lie in the temporary JOBS_SANDBOX_HOME and end with the test, or with the test process if
that is killed.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from mpremote.transport_serial import SerialTransport

from host_tools.board import VirtualBoard
from host_tools.board.edges import Edge, recorded

DEADLINE_S = 60.0  # of events; a busy machine may take a while
_MPREMOTE = str(Path(sys.executable).with_name("mpremote"))
_numbers = itertools.count(1)


class Line:
    """The host's end of the serial line, opened with pyserial."""

    def __init__(self, device: str) -> None:
        self._port = serial.Serial(device, 115200, timeout=0.02)
        self.seen = b""

    def send(self, data: bytes) -> None:
        self._port.write(data)

    def read_until(self, text: bytes, deadline_s: float = DEADLINE_S) -> bytes:
        """Return what came up to and with `text`; fails if it does not come in time."""
        end = time.monotonic() + deadline_s
        while text not in self.seen:
            self.seen += self._port.read(4096)
            if time.monotonic() > end:
                pytest.fail(f"{text!r} did not come; what came is {self.seen[-2000:]!r}")
        found, _, self.seen = self.seen.partition(text)
        return found + text

    def close(self) -> None:
        self._port.close()


class Board(VirtualBoard):
    """A virtual board with what tests do to it."""

    def run(self, code: str, *, soft_reset: bool = False, timeout_s: float = DEADLINE_S) -> str:
        """Run code in the raw REPL, without a reset first; returns what it printed."""
        transport = SerialTransport(self.device)
        try:
            transport.enter_raw_repl(soft_reset=soft_reset)
            output, error = transport.exec_raw(code, timeout=timeout_s)
            transport.exit_raw_repl()
        finally:
            transport.close()
        if error:
            raise AssertionError(error.decode())
        text: str = output.decode()
        return text.replace("\r\n", "\n").rstrip("\n")

    def put(self, **files: str) -> None:
        """Write files, `main_py="…"` as /main.py."""
        for name, text in files.items():
            path = name.replace("_", ".")
            self.run(f"with open({path!r}, 'w') as f: f.write({text!r})")

    def mpremote(self, *words: str, code: int = 0) -> str:
        """Run the real mpremote as a user does; returns its output."""
        done = subprocess.run(
            [_MPREMOTE, "connect", self.device, *words], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    @contextlib.contextmanager
    def line(self) -> Iterator[Line]:
        line = Line(self.device)
        try:
            yield line
        finally:
            line.close()

    def edges(self) -> list[Edge]:
        return recorded(self.files)

    @property
    def boot(self) -> int:
        """How often MicroPython has been started."""
        return self.require_running().boot

    def wait_for_boot(self, number: int) -> Any:
        """Wait until MicroPython has been started for the `number`th time; returns its facts."""
        return eventually(
            lambda: (i := self.info()) is not None and i.up and i.boot >= number and i
        )


def eventually(condition: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """Return the first true value of `condition`; fails after the deadline."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)
    return value


@pytest.fixture
def make_board(sandbox_home: Path) -> Iterator[Callable[..., Board]]:
    """Makes boards, running unless told otherwise; the options are those of VirtualBoard.start."""
    made: list[Board] = []

    def make(started: bool = True, **options: Any) -> Board:
        board = Board(f"test{next(_numbers)}")
        made.append(board)
        if started:
            board.start(bound=True, **options)
        return board

    yield make
    for board in made:
        board.stop()


@pytest.fixture
def board(make_board: Callable[..., Board]) -> Board:
    """A running virtual ESP32 with an erased flash."""
    return make_board()
