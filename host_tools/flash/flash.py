"""One flashing, from the port to the verified firmware.

Until the image is in hand, whole and right for the chip, nothing on the board is changed; after
that, whatever goes wrong is mended by flashing again: the boot loader is in the chip's ROM.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from host_tools import boards
from host_tools.errors import ToolError
from host_tools.flash import esp, firmware, image, plans, ports
from host_tools.flash.esp import Chip, ChipError, GoneError, NoAnswerError, Progress
from host_tools.flash.firmware import DEFAULT_VERSION, Firmware
from host_tools.flash.held import look
from host_tools.flash.plans import Plan
from host_tools.output import say, say_command

DEFAULT_BAUD = 460800


@dataclass(frozen=True)
class Options:
    """How to flash.

    `firmware`: a file, else it is got by `version`; `definition`: a board's name or file, else by
    the chip; `erase`: None for what the board's flash holds to decide, where `ask` is given a
    question if that is a matter of taste; `stub`: with esptool's flasher, which is faster.
    """

    firmware: Path | None = None
    version: str = DEFAULT_VERSION
    definition: str | None = None
    erase: bool | None = None
    ask: Callable[[str], bool] | None = None
    stub: bool = True
    baud: int = DEFAULT_BAUD
    dry_run: bool = False


@dataclass(frozen=True)
class Flashed:
    """What a flashing did, or a dry run would do. `held`: what was on the board before."""

    port: str
    chip: str
    mac: str
    flash_size: int
    definition: str
    build: str
    firmware: str
    sha256: str | None
    title: str
    offset: int
    held: str
    erased: bool
    verified: bool = False
    baud: int | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return what `flash --json` prints."""
        return asdict(self)


def flash(port: str, options: Options | None = None, progress: Progress | None = None) -> Flashed:
    """Put firmware on the board on a port; says each step; returns what was done.

    Raises ToolError with cause and fix, which is the board's way into its boot loader if the chip
    does not answer.
    """
    return _Flashing(port, options or Options(), progress or _ignore).run()


def _ignore(what: str, done: int, total: int) -> None:
    """Show no progress."""


class _Flashing:
    def __init__(self, port: str, options: Options, progress: Progress) -> None:
        self._port = port
        self._options = options
        self._progress = progress
        firmware.check_version(options.version)
        self._definition = boards.load(options.definition) if options.definition else None
        self._given = firmware.from_file(options.firmware) if options.firmware else None
        self._touched = False

    def run(self) -> Flashed:
        with self._explained():
            plan = None
            for baud in self._speeds():
                try:
                    with self._connected() as chip:
                        plan = plan or self._plan(chip)
                        return self._carry_out(chip, plan, baud)
                except ChipError as error:
                    if plan is None or baud == esp.ROM_BAUD:
                        raise
                    say(f"{error}; once more, at {esp.ROM_BAUD} baud")
        raise AssertionError("the last speed returns or raises")

    def _speeds(self) -> list[int]:
        wanted = self._options.baud
        return [wanted] if wanted == esp.ROM_BAUD else [wanted, esp.ROM_BAUD]

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Chip]:
        say(f"connecting to the boot loader on {self._port}")
        with esp.connect(self._port, stub=self._options.stub) as chip:
            try:
                yield chip
            finally:
                chip.reset()

    def _plan(self, chip: Chip) -> Plan:
        psram = f", {chip.psram} PSRAM" if chip.psram else ""
        say(f"it is an {chip.name}, {chip.mac}, with {chip.flash_size >> 20} MB flash{psram}")
        self._definition = self._definition or boards.of_chip(chip.name, chip.psram)
        plans.check_board(self._definition, chip)
        found = self._given or self._obtain(self._definition.build, chip.name)
        made = None if found.data is None else image.check(found.name, found.data, chip.name)
        if made is not None:
            plans.check_revision(made, chip)
            plans.check_room(made, chip)
        held = look(chip)
        erase = self._options.erase
        if erase is None:
            erase = plans.decide_erase(held, self._options.ask)
        plan = Plan(self._port, chip, self._definition, found, made, held, erase)
        for line in plan.lines():
            say(line)
        for command in plan.commands(self._options.baud):
            say_command(command)
        return plan

    def _obtain(self, build: str, chip: str) -> Firmware:
        return firmware.obtain(
            build,
            self._options.version,
            lambda name, data: image.check(name, data, chip),
            self._progress,
            may_download=not self._options.dry_run,
        )

    def _carry_out(self, chip: Chip, plan: Plan, baud: int) -> Flashed:
        if chip.mac != plan.chip.mac:
            raise ToolError(f"another board is on {self._port} now: {chip.mac}", "flash again")
        if self._options.dry_run or plan.image is None:
            say("nothing was changed")
            return self._flashed(plan)
        begun = time.monotonic()
        if baud != esp.ROM_BAUD:
            chip.speed_up(baud)
        self._touched = True
        if plan.erase:
            say("erasing, which takes up to a minute")
            chip.erase()
        say(f"writing {len(plan.image.data) >> 10} KB at {plan.image.offset:#x}, and verifying")
        chip.write(plan.image.offset, plan.image.data, self._progress)
        seconds = round(time.monotonic() - begun, 2)
        return self._flashed(plan, verified=True, baud=baud, seconds=seconds)

    def _flashed(self, plan: Plan, **more: Any) -> Flashed:
        return Flashed(
            port=self._port,
            chip=plan.chip.name,
            mac=plan.chip.mac,
            flash_size=plan.chip.flash_size,
            definition=plan.definition.name,
            build=plan.definition.build,
            firmware=plan.firmware.origin,
            sha256=plan.firmware.sha256,
            title=plan.image.title if plan.image else "",
            offset=image.offset(plan.chip.name),
            held=plan.held.label,
            erased=plan.erase,
            **more,
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Tell with an error what it means for the board, and the way out."""
        try:
            yield
        except (NoAnswerError, ChipError) as error:
            how = "" if isinstance(error, NoAnswerError) else ", with --baud 115200 --no-stub"
            again = f"{self._boot_mode()}; then the same once more{how}"
            raise ToolError(self._with_state(error.message), again) from error
        except GoneError as error:
            again = "plug it in and flash again"
            raise ToolError(self._with_state(error.message), again) from error
        except ToolError as error:
            raise type(error)(self._with_state(error.message), error.hint) from error
        except KeyboardInterrupt:
            say(self._with_state("interrupted"))
            raise

    def _with_state(self, message: str) -> str:
        return message + "; its MicroPython is incomplete now" if self._touched else message

    def _boot_mode(self) -> str:
        known = [self._definition] if self._definition else ports.boards_on(self._port)
        modes = {definition.boot_mode for definition in known}
        return modes.pop() if len(modes) == 1 else boards.BOOT_MODE
