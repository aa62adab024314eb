"""Board definitions, `boards/<name>.toml`: pins by name, and what must not be driven.

A file has these keys:

    name = "virtual"            as the file is called
    chip = "ESP32"              sys.implementation._machine ends in "with ESP32"
    build = "ESP32_GENERIC"     MicroPython's name of the build that fits
    description = "…"
    [pins.led]                  any name; `[led]` at top level is short for it
    gpio = 2
    kind = "gpio"               or "neopixel"
    active_low = false
    [forbidden]
    6 = "flash"                 gpio = why it must not be driven
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.errors import ToolError
from host_tools.paths import BOARDS

_REQUIRED = ("name", "chip", "build", "description")
_KINDS = ("gpio", "neopixel")


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


@dataclass(frozen=True)
class BoardDefinition:
    """A kind of board."""

    name: str
    chip: str
    build: str
    description: str
    pins: dict[str, Pin] = field(default_factory=dict)
    forbidden: dict[int, str] = field(default_factory=dict)

    def board_json(self) -> dict[str, Any]:
        """Return the content of the board's `/board.json`."""
        return {
            "board": self.name,
            "chip": self.chip,
            "pins": {name: pin.as_dict() for name, pin in self.pins.items()},
            "forbidden": {str(gpio): reason for gpio, reason in self.forbidden.items()},
        }


def names() -> list[str]:
    """Return the names of the boards there are definitions of."""
    return sorted(path.stem for path in BOARDS.glob("*.toml"))


def load(name: str) -> BoardDefinition:
    """Return a board's definition. Raises ToolError if there is none or it is wrong, naming
    what.
    """
    path = BOARDS / f"{name}.toml"
    if name not in names():
        raise ToolError(f"There is no board definition {name!r}.", f"one of {', '.join(names())}")
    return read(path)


def read(path: Path) -> BoardDefinition:
    """Return the definition in a file. Raises ToolError naming the file and what is wrong in
    it.
    """
    try:
        return _definition(tomllib.loads(path.read_text()), path.stem)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ToolError(f"{path}: {error}", "boards/virtual.toml is a good example") from error


def _definition(table: dict[str, Any], stem: str) -> BoardDefinition:
    for key in _REQUIRED:
        if not isinstance(table.get(key), str):
            raise ValueError(f"{key} is missing or not a text")
    if table["name"] != stem:
        raise ValueError(f"name is {table['name']!r}, the file's is {stem!r}")
    rest = {
        key: value for key, value in table.items() if key not in (*_REQUIRED, "pins", "forbidden")
    }
    pins = {name: _pin(name, value) for name, value in {**rest, **table.get("pins", {})}.items()}
    forbidden = {
        _gpio(gpio, "forbidden"): str(reason)
        for gpio, reason in table.get("forbidden", {}).items()
    }
    for name, pin in pins.items():
        if pin.gpio in forbidden:
            raise ValueError(
                f"pins.{name} is GPIO {pin.gpio}, which is forbidden: {forbidden[pin.gpio]}"
            )
    return BoardDefinition(
        name=table["name"],
        chip=table["chip"],
        build=table["build"],
        description=table["description"],
        pins=pins,
        forbidden=forbidden,
    )


def _pin(name: str, table: Any) -> Pin:
    if not isinstance(table, dict):
        raise ValueError(f"unknown key {name}")
    for key in table:
        if key not in ("gpio", "kind", "active_low"):
            raise ValueError(f"unknown key {key} in pins.{name}")
    pin = Pin(
        _gpio(table.get("gpio"), f"pins.{name}"),
        table.get("kind", "gpio"),
        table.get("active_low", False),
    )
    if pin.kind not in _KINDS or not isinstance(pin.active_low, bool):
        raise ValueError(
            f"pins.{name}: kind is one of {', '.join(_KINDS)}, active_low true or false"
        )
    return pin


def _gpio(value: Any, where: str) -> int:
    if isinstance(value, bool) or not str(value).isdigit():
        raise ValueError(f"{where}: {value!r} is not a GPIO number")
    return int(value)
