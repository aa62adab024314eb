"""Board definitions, `boards/<name>.toml` or a file of one's own: what a board is, which of its
pins jobs may use by name, and what must not be driven.

    name = "bench"              as the file is called; may be left out
    extends = "esp32_generic"   name or path of the board this one differs from
    chip = "ESP32"              sys.implementation._machine ends in "with ESP32"
    build = "ESP32_GENERIC"     MicroPython's name of the build that fits
    description = "…"
    psram = "octal"             the build is for chips with this PSRAM inside
    boot_mode = "hold BOOT, …"  the way into the boot loader
    [usb]
    "10c4:ea60" = "CP2102"      vendor:product = what shows itself so
    [pins.led]                  any name; `[led]` at top level is short for it
    gpio = 2
    kind = "gpio"               or "neopixel", "input", "adc"
    active_low = false
    [forbidden]
    6-11 = "flash"              GPIO or range = why it must not be driven
    [limits]
    duration_s = 3600           what a job may ask for at most (firmware/sandbox/arguments.py)

Under `extends` only what differs is written; `false` takes back a pin, a USB identity or a ban.
`boards/board.schema.json` has the keys; an unknown one is an error that names it and the file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from host_tools import board_file
from host_tools.errors import ToolError
from host_tools.paths import BOARDS

_REQUIRED = ("chip", "build", "description")
_OPTIONAL = ("usb", "boot_mode", "psram", "limits")
_READ_ONLY = ("input", "adc")
_INPUT_ONLY = "input only"
BOOT_MODE = "hold BOOT, press and let go RESET (or EN), let go BOOT"

# GPIOs that the chips have, runs of them: ESP-IDF docs/en/api-reference/peripherals/gpio/*.inc
_GPIOS = {
    "ESP32": ((0, 23), (25, 27), (32, 39)),
    "ESP32S2": ((0, 21), (26, 46)),
    "ESP32S3": ((0, 21), (26, 48)),
    "ESP32C3": ((0, 21),),
    "ESP32C6": ((0, 30),),
}


@dataclass(frozen=True)
class Pin:
    """A pin that jobs may use by name."""

    gpio: int
    kind: str = "gpio"
    active_low: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as `/board.json` has it; `kind` only when it is not plain."""
        plain: dict[str, Any] = {"gpio": self.gpio, "active_low": self.active_low}
        return plain if self.kind == "gpio" else {**plain, "kind": self.kind}

    def __str__(self) -> str:
        names = {"neopixel": "NeoPixel", "input": "input", "adc": "analogue input"}
        more = [names[self.kind]] if self.kind in names else []
        more += ["on when low"] if self.active_low else []
        return f"GPIO{self.gpio}" + (f" ({', '.join(more)})" if more else "")


@dataclass(frozen=True)
class BoardDefinition:
    """A kind of board. `usb`: "vendor:product" in hexadecimal → what shows itself so."""

    name: str
    chip: str
    build: str
    description: str
    pins: dict[str, Pin] = field(default_factory=dict)
    forbidden: dict[int, str] = field(default_factory=dict)
    usb: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    boot_mode: str = BOOT_MODE
    psram: str | None = None

    def board_json(self) -> dict[str, Any]:
        """Return the content of the board's `/board.json`."""
        return {
            "board": self.name,
            "chip": self.chip,
            "pins": {name: pin.as_dict() for name, pin in self.pins.items()},
            "forbidden": {str(gpio): reason for gpio, reason in self.forbidden.items()},
            **({"limits": self.limits} if self.limits else {}),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return what `boards --json` prints."""
        return asdict(self)


def names() -> list[str]:
    """Return the names of the boards there are definitions of."""
    return sorted(path.stem for path in BOARDS.glob("*.toml"))


def load(board: str) -> BoardDefinition:
    """Return the definition of a board, given by its name in boards/ or as a file's path.

    Raises ToolError if there is none or it is wrong, naming what.
    """
    return read(_find(board, Path()))


def read(path: Path) -> BoardDefinition:
    """Return the definition in a file. Raises ToolError naming the file and what is wrong in
    it.
    """
    table = board_file.merged(path, _find)
    try:
        return _definition(table, path.stem)
    except ValueError as error:
        raise ToolError(f"{path}: {error}", board_file.README) from error


def of_chip(chip: str, psram: str | None = None) -> BoardDefinition:
    """Return the board in boards/ for a chip, "ESP32C3" for instance, with that PSRAM inside.

    Raises ToolError if there is none for the chip.
    """
    fitting = [board for board in _real() if board.chip == chip]
    for wanted in (psram, None):
        for board in fitting:
            if board.psram == wanted:
                return board
    raise ToolError(
        f"no board here has the chip {chip}",
        f"a board with {', '.join(_GPIOS)}",
    )


def has_gpio(gpio: int, chip: str | None = None) -> bool:
    """Say whether a chip, "ESP32C3" for instance, has a GPIO of this number; None: any chip."""
    chips = [_GPIOS[chip]] if chip else _GPIOS.values()
    return any(first <= gpio <= last for runs in chips for first, last in runs)


def of_usb(vendor: int, product: int) -> list[BoardDefinition]:
    """Return the boards in boards/ that show themselves so on USB; several, mostly."""
    identity = f"{vendor:04x}:{product:04x}"
    return [board for board in _real() if identity in board.usb]


def _real() -> list[BoardDefinition]:
    # What only stands for a board, as the virtual one does, shows no USB identity.
    return [board for board in map(load, names()) if board.usb]


def _find(board: str, beside: Path) -> Path:
    if board in names():
        return BOARDS / f"{board}.toml"
    path = beside / Path(board).expanduser()
    if path.suffix == ".toml" and path.is_file():
        return path
    what = "file" if path.suffix == ".toml" else "board definition"
    raise ToolError(
        f"There is no {what} {board!r}.", f"the path of a .toml file, or {', '.join(names())}"
    )


def _definition(table: dict[str, Any], stem: str) -> BoardDefinition:
    for key in _REQUIRED:
        if key not in table:
            raise ValueError(f"{key} is missing")
    if table.get("name", stem) != stem:
        raise ValueError(f"name is {table['name']!r}, the file's is {stem!r}")
    pins = {name: Pin(**value) for name, value in table["pins"].items()}
    for name, pin in pins.items():
        _check_pin(name, pin, table)
    given = {key: table[key] for key in (*_REQUIRED, *_OPTIONAL) if key in table}
    forbidden = dict(sorted(table["forbidden"].items()))
    return BoardDefinition(stem, pins=pins, forbidden=forbidden, **given)


def _check_pin(name: str, pin: Pin, table: dict[str, Any]) -> None:
    if not has_gpio(pin.gpio, table["chip"]):
        raise ValueError(f"pins.{name}: {table['chip']} has no GPIO{pin.gpio}")
    reason = table["forbidden"].get(pin.gpio)
    if reason and not (pin.kind in _READ_ONLY and reason == _INPUT_ONLY):
        raise ValueError(f"pins.{name} is GPIO {pin.gpio}, which is forbidden: {reason}")
