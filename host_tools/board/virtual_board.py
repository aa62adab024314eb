"""The API of virtual boards: start, stop, erase, cut the power, look."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from host_tools import interpreter
from host_tools.board.boot import BoardOptions
from host_tools.board.files import BoardFiles, read_json
from host_tools.errors import ToolError, UsageError
from host_tools.paths import ROOT, home

DEFAULT_BOARD = "sandbox"
CHIPS = {
    "ESP32": "ESP32_GENERIC",
    "ESP32S2": "ESP32_GENERIC_S2",
    "ESP32S3": "ESP32_GENERIC_S3",
    "ESP32C3": "ESP32_GENERIC_C3",
    "ESP32C6": "ESP32_GENERIC_C6",
}
DEFAULT_HEAP = "56wK"
"""56 KB of 4-byte words, the GC heap a plain ESP32 starts with; objects take as much of it as
there, bytecode and names half as much (docs/benchmarks.md has both).

It does not grow, while an ESP32's doubles once with room left for TLS.
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_HEAP = re.compile(r"(\d+)(w?)K")
_DEADLINE_S = 10
_SUPERVISOR = "host_tools.board.supervisor"
_T = TypeVar("_T")
_lifelines: list[int] = []  # pipes that only this process holds open: bound boards end with it


@dataclass(frozen=True)
class BoardInfo:
    """A running board. `boot` counts its starts, `cause` is machine.reset_cause() of the last."""

    name: str
    pid: int
    tty: str
    chip: str
    heap: str
    started: float
    boot: int
    cause: int
    micropython_pid: int
    up: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as `running.json` has it."""
        return asdict(self)


class VirtualBoard:
    """One virtual board, running or not; its state lies in `boards/<name>/` of the state
    folder.
    """

    def __init__(self, name: str = DEFAULT_BOARD) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is not a board name.",
                "letters, digits, - and _, at most 32, a letter first",
            )
        self.name = name
        self._bound = False

    @property
    def files(self) -> BoardFiles:
        """The board's files; its folder is made if missing."""
        folder = home() / "boards" / self.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return BoardFiles(folder)

    @property
    def device(self) -> str:
        """Path of the serial device, for mpremote and the like; a symlink that lasts while the
        board runs.
        """
        return str(home() / "boards" / self.name / "tty")

    def info(self) -> BoardInfo | None:
        """Return what is known of the running board, None if it does not run."""
        if not self._runs():
            return None
        running = read_json(home() / "boards" / self.name / "running.json")
        return BoardInfo(**running) if running else None

    def start(
        self,
        *,
        chip: str = "ESP32",
        heap: str = DEFAULT_HEAP,
        erase: bool = False,
        bound: bool = False,
    ) -> BoardInfo:
        """Switch the board on and return when it has come to boot.py. Does nothing if it runs
        already. A `bound` board ends with this process, even if that is killed.

        Raises ToolError without a usable MicroPython, or if it runs as another chip.
        """
        options = self._options(chip, heap)
        self._bound = bound
        if erase:
            self.erase()
        running = self.info()
        if running is None:
            running = self._spawn(replace(options, micropython=str(interpreter.find())))
        if (running.chip, running.heap) != (chip, heap):
            raise ToolError(
                f"Board {self.name} runs as {running.chip} with heap {running.heap}.",
                f"jobs-sandbox board stop {self.name}",
            )
        return running

    def stop(self) -> bool:
        """Switch the board off; returns False if it was off."""
        info = self.info()
        if info is None:
            return False
        os.kill(info.pid, signal.SIGTERM)
        self._wait(lambda: not self._runs() or None, "does not stop")
        return True

    def power_cut(self) -> BoardInfo:
        """Cut the power in mid-flight and give it back; returns when the board has come to
        boot.py again.
        """
        return self._restart(signal.SIGUSR1)

    def reset(self) -> BoardInfo:
        """Press the reset button (EN): a hard reset."""
        return self._restart(signal.SIGUSR2)

    def erase(self) -> None:
        """Erase the flash, the record of pins and the faults; a running board is cut off first
        and restarted.
        """
        info = self.info()
        self.stop()
        self.files.erase()
        if info is not None:
            self.start(chip=info.chip, heap=info.heap, bound=self._bound)

    def require_existing(self) -> BoardFiles:
        """Return the files of a board that was started once. Raises ToolError if it never was."""
        if not (home() / "boards" / self.name).is_dir():
            raise ToolError(
                f"There is no virtual board {self.name}.", f"jobs-sandbox board start {self.name}"
            )
        return self.files

    def require_running(self) -> BoardInfo:
        """Return the running board's facts. Raises ToolError if it does not run."""
        info = self.info()
        if info is None:
            raise ToolError(
                f"Virtual board {self.name} is not running.",
                f"jobs-sandbox board start {self.name}",
            )
        return info

    def _options(self, chip: str, heap: str) -> BoardOptions:
        size = _HEAP.fullmatch(heap)
        if chip not in CHIPS:
            raise UsageError(f"There is no virtual {chip}.", f"one of {', '.join(CHIPS)}")
        if size is None:
            raise UsageError(f"{heap!r} is not a heap size.", "56wK (KB of 4-byte words) or 112K")
        build = CHIPS[chip] + "-VIRTUAL"
        return BoardOptions(self.name, chip, build, heap, int(size[1]), bool(size[2]))

    def _spawn(self, options: BoardOptions) -> BoardInfo:
        files = self.files
        inherited: list[int] = []
        if self._bound:
            lifeline, ours = os.pipe()
            _lifelines.append(ours)
            inherited.append(lifeline)
            options = replace(options, lifeline=lifeline)
        with files.supervisor_log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", _SUPERVISOR, str(files.folder), options.to_json()],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=inherited,
            )
        for descriptor in inherited:
            os.close(descriptor)

        def came_up() -> BoardInfo | None:
            info = self.info()
            # ours also ends when another start was faster, whose board may not be known yet
            if info is None and process.poll() is not None and not self._runs():
                raise self._failed("did not start")
            return info if info and info.up else None

        running = self._wait(came_up, "does not come up")
        if running.pid != process.pid:  # another start was faster; ours must not follow its stop
            process.kill()
            process.wait()
        return running

    def _restart(self, how: signal.Signals) -> BoardInfo:
        before = self.require_running()
        os.kill(before.pid, how)

        def came_up() -> BoardInfo | None:
            info = self.require_running()
            return info if info.up and info.boot > before.boot else None

        return self._wait(came_up, "does not come up")

    def _runs(self) -> bool:
        folder = home() / "boards" / self.name
        if not (folder / "lock").exists():
            return False
        return BoardFiles(folder).is_locked()

    def _wait(self, condition: Callable[[], _T | None], failure: str) -> _T:
        deadline = time.monotonic() + _DEADLINE_S
        while (value := condition()) is None:
            if time.monotonic() > deadline:
                raise self._failed(failure)
            time.sleep(0.005)
        return value

    def _failed(self, what: str) -> ToolError:
        log = self.files.supervisor_log
        last = (log.read_text(errors="replace").strip().splitlines() or [""])[-1]
        return ToolError(f"Virtual board {self.name} {what}. {last}".rstrip(), f"read {log}")


def list_boards() -> list[BoardInfo]:
    """Return the running boards, by name."""
    folders: list[Path] = sorted((home() / "boards").glob("*/running.json"))
    found = [VirtualBoard(path.parent.name).info() for path in folders]
    return [info for info in found if info is not None]
