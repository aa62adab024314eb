"""The supervisor: one detached process per virtual board.

It is the power supply and the chip around MicroPython: it starts the interpreter, carries bytes
between it and the host's PTY, restarts it on every reset with the right cause, and holds the
watchdog. `python -m host_tools.board.supervisor FOLDER OPTIONS-AS-JSON`, by VirtualBoard.start
only. SIGTERM switches the board off, SIGUSR1 cuts its power and gives it back, SIGUSR2 presses its
reset button.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from typing import Any

from host_tools.board.air import Air
from host_tools.board.boot import BoardOptions, Boot
from host_tools.board.edges import EdgeReader, follow_driven
from host_tools.board.files import BoardFiles, write_json
from host_tools.board.process import MicroPythonProcess
from host_tools.board.repl import ReplView
from host_tools.board.serial_line import HostPort, LineEnds, SerialLog

# ports/esp32/modmachine.c
PWRON, HARD, WDT, DEEPSLEEP, SOFT = 1, 2, 3, 4, 5
_CAUSES = {"hard": HARD, "deepsleep": DEEPSLEEP, "soft": SOFT, "power": PWRON}
_MESSAGES = {
    PWRON: b"\r\nrst:0x1 (POWERON_RESET), virtual board\r\n",
    HARD: b"\r\nrst:0xc (SW_CPU_RESET), virtual board\r\n",
    DEEPSLEEP: b"\r\nrst:0x5 (DEEPSLEEP_RESET), virtual board\r\n",
    WDT: b"\r\nE task_wdt: Task watchdog got triggered.\r\n"
    b"rst:0xc (SW_CPU_RESET), virtual board\r\n",
    SOFT: b"MPY: soft reboot\r\n",
}
_TRIES = 3  # starts of MicroPython that may end before boot.py
_LOCK_TRIES = 10  # someone who only asks whether the board runs has the lock for a moment


class Supervisor:
    """Runs one board until it is switched off."""

    def __init__(self, files: BoardFiles, options: BoardOptions) -> None:
        self._files = files
        self._options = options
        self._host = HostPort(files.tty)
        self._log = SerialLog(files.serial_log)
        self._edges = EdgeReader(files.pins)
        self._air = Air(files)
        self._driven: dict[int, Any] = {}
        self._started = time.time()
        self._signals, self._wakeup = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._watchdog_s: float | None = None
        self._fed = 0.0
        self._repl = ReplView(raw=False)
        self._off = False

    def run(self) -> None:
        """Switch on and serve until SIGTERM."""
        self._catch_signals()
        cause, failures = PWRON, 0
        while not self._off and failures < _TRIES:
            if cause == PWRON:
                self._lose_power()
            cause = self._one_boot(cause)
            failures = failures + 1 if self._ended and not self._child.up else 0
        if failures == _TRIES:
            print(f"MicroPython ended {_TRIES} times before boot.py; see {self._files.serial_log}")
        self._host.close()
        self._log.close()

    def _lose_power(self) -> None:
        self._files.lose_power()
        follow_driven(self._edges.read(), self._driven)
        with self._files.pins.open("a") as file:
            for gpio in sorted(self._driven):
                edge = {"t": time.time(), "pin": gpio, "name": None, "value": "z"}
                file.write(json.dumps({**edge, "boot": self._boot_number()}) + "\n")

    def _boot_number(self) -> int:
        try:
            return int(self._files.boots.read_text())
        except (OSError, ValueError):
            return 0

    # -- one run of MicroPython

    def _one_boot(self, cause: int) -> int:
        # runs MicroPython once; returns the cause of the next boot
        if cause != SOFT:
            self._watchdog_s = None  # the task watchdog survives a soft reset only (machine_wdt.c)
        follow_driven(self._edges.read(), self._driven)
        raw = self._repl.raw and cause == SOFT
        boot = Boot(self._files.next_boot(), cause, raw, self._driven)
        self._ends, self._repl = LineEnds(), ReplView(raw)
        self._next: int | None = None
        self._ended = False
        environment = boot.environment(self._options, self._files)
        environment["VB_AIR"] = str(self._air.port)
        child = self._child = MicroPythonProcess(boot.command(self._options), environment, raw)
        self._publish(boot)
        self._selector.register(child.control_fd, selectors.EVENT_READ)
        self._watch()
        try:
            while self._next is None and not self._off:
                self._serve(child)
        finally:
            self._selector.unregister(child.control_fd)
            self._selector.unregister(child.fd)
            child.kill()
            self._finish(child)
            child.close()
        return self._next or SOFT

    def _finish(self, child: MicroPythonProcess) -> None:
        # what it still had to say, and the message of the reset
        while data := child.read():
            self._to_host(data)
        self._say(self._repl.end())
        if not self._off:
            self._say(_MESSAGES[self._next or SOFT])

    def _publish(self, boot: Boot) -> None:
        self._info = {
            "name": self._options.name,
            "pid": os.getpid(),
            "tty": str(self._files.tty),
            "chip": self._options.chip,
            "started": self._started,
            "heap": self._options.heap,
            "boot": boot.number,
            "cause": boot.cause,
            "micropython_pid": self._child.pid,
            "up": False,
        }
        write_json(self._files.running, self._info)

    # -- the loop

    def _watch(self) -> None:
        # register what each side has to say or can take
        child_events = selectors.EVENT_READ
        if self._child.wants_write:
            child_events |= selectors.EVENT_WRITE
        host_events = selectors.EVENT_READ if self._child.takes_input else 0
        if self._host.wants_write:
            host_events |= selectors.EVENT_WRITE
        _register(self._selector, self._child.fd, child_events)
        _register(self._selector, self._host.fd, host_events)

    def _serve(self, child: MicroPythonProcess) -> None:
        interrupt_due = child.interrupt_due()  # first: what was held back for it can go then
        self._watch()
        waits = [s for s in (interrupt_due, self._watchdog_left()) if s is not None]
        ready = {key.fd for key, _ in self._selector.select(min(waits, default=None))}
        if self._signals in ready:
            self._handle_signals()
        if self._options.lifeline in ready:  # whoever started the board has ended
            self._off = True
        for line in child.read_control():  # before the host's bytes: kbd_intr must count for them
            self._obey(child, line)
        if child.fd in ready:
            self._from_child(child)
        child.flush()
        if self._host.fd in ready and child.takes_input and (data := self._host.read()):
            child.send(data)
        self._host.flush()
        if self._watchdog_left() == 0 and self._next is None:
            self._next = WDT

    def _from_child(self, child: MicroPythonProcess) -> None:
        data = child.read()
        if data is None:
            self._ended = True
            self._next = self._next or SOFT
        elif data:
            self._to_host(data)

    def _to_host(self, data: bytes) -> None:
        self._say(self._repl.show(self._ends.convert(data)))

    def _say(self, data: bytes) -> None:
        self._log.write(data)
        self._host.write(data)

    def _obey(self, child: MicroPythonProcess, line: str) -> None:
        word, _, argument = line.partition(" ")
        if word == "up":
            child.up = True  # from here Ctrl-C is safe
            write_json(self._files.running, {**self._info, "up": True})
        elif word == "reset":
            self._next = _CAUSES[argument]
        elif word == "kbd":
            child.set_interrupt_char(int(argument))
        elif word == "wdt":
            self._watchdog_s = int(argument) / 1000
            self._fed = time.monotonic()
        elif word == "feed":
            self._fed = time.monotonic()

    def _watchdog_left(self) -> float | None:
        if self._watchdog_s is None:
            return None
        return max(0.0, self._fed + self._watchdog_s - time.monotonic())

    # -- signals

    def _catch_signals(self) -> None:
        os.set_blocking(self._wakeup, False)
        signal.set_wakeup_fd(self._wakeup)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._selector.register(self._signals, selectors.EVENT_READ)
        if self._options.lifeline is not None:
            self._selector.register(self._options.lifeline, selectors.EVENT_READ)

    def _handle_signals(self) -> None:
        for number in os.read(self._signals, 64):
            if number == signal.SIGTERM:
                self._off = True
            elif number == signal.SIGUSR1:
                self._next = PWRON
            elif number == signal.SIGUSR2:
                self._next = HARD


def _register(selector: selectors.BaseSelector, fd: int, events: int) -> None:
    known = selector.get_map().get(fd)
    if known is None and events:
        selector.register(fd, events)
    elif known is not None and not events:
        selector.unregister(fd)
    elif known is not None and known.events != events:
        selector.modify(fd, events)


def main(folder: str, options: str) -> None:
    """Run the board in `folder` unless another supervisor has it."""
    files = BoardFiles(Path(folder))
    for _ in range(_LOCK_TRIES):
        with files.locked() as mine:
            if mine:
                _run(files, BoardOptions.from_json(options))
                return
        time.sleep(0.005)


def _run(files: BoardFiles, options: BoardOptions) -> None:
    files.running.unlink(missing_ok=True)  # of one that was killed
    files.make_missing()
    try:
        Supervisor(files, options).run()
    finally:
        files.running.unlink(missing_ok=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
