"""The board's hardware: named pins, resets, the watchdog.

Only pins named in /board.json exist here, so no job can drive any other. What few boards need
(`pixel`, some operations) imports `machine` for itself and is loaded when it is used.
"""

import machine
from micropython import const

from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_QUIET_MS = const(2_000_000_000)  # 23 days: an ESP32 watchdog cannot be stopped


class Board:
    """The hardware by the definition in /board.json, which `setup` has checked:
    {"board", "chip", "pins": {name: {"gpio", "active_low", "kind"}}, "forbidden": {gpio: reason},
    "limits": {name: number}}; kind is gpio, neopixel, input or adc. `boots` counts the starts of
    the application, `cause` is that of the last reset: see `crash`.
    """

    def __init__(self, definition: "dict[str, Any]", boots: int = 0) -> None:
        self.name = definition.get("board", "unknown")
        self.boots = boots
        self.cause = ""
        self.pins: "dict[str, dict]" = definition.get("pins", {})
        self.limits: "dict[str, int]" = definition.get("limits", {})
        self.parts: "dict[str, Any]" = {}  # by pin: a Pin, a device, or whether it is on
        self.watchdog: "Any" = None
        self.memory: "Any" = machine.RTC().memory  # see `crash`

    def switch(self, name: str, on: bool, colour: str = "") -> None:
        """Drive a pin on or off; what that means for its level, the board file says.

        `colour`, "#rrggbb" or "" for white, is for NeoPixels.
        """
        pin = self.pins[name]
        if pin.get("kind") == "neopixel":
            borrow("pixel").show(pin["gpio"], on, colour)
            self.parts[name] = on
            return
        level = int(on != bool(pin.get("active_low")))
        opened = self.parts.get(name)
        if isinstance(opened, machine.Pin):
            opened.value(level)
        else:
            self.attach(name, None)
            self.parts[name] = machine.Pin(pin["gpio"], machine.Pin.OUT, value=level)

    def attach(self, name: str, device: "Any") -> None:
        """Give a pin to `device`, which has `deinit()`, until it is switched again."""
        opened = self.parts.pop(name, None)
        if hasattr(opened, "deinit"):
            opened.deinit()
        self.parts[name] = device

    def is_on(self, name: str) -> bool:
        """Return whether a pin is driven on; over an ordered reset it stays what it was."""
        opened = self.parts.get(name)
        if isinstance(opened, machine.Pin):
            return bool(opened.value()) != bool(self.pins[name].get("active_low"))
        return bool(opened)

    def reset(self, soft: bool = False) -> None:
        """Reset the chip, as the reset button does, or only MicroPython."""
        self._leave()
        if soft:
            machine.soft_reset()
        machine.reset()

    def watch(self, timeout_ms: int) -> None:
        """Start the watchdog, or change its time-out (ESP32: making it again reconfigures it)."""
        self.watchdog = machine.WDT(timeout=timeout_ms)

    def feed(self) -> None:
        """Put the watchdog off."""
        if self.watchdog:
            self.watchdog.feed()

    def calm(self) -> None:
        """Give whoever works in the REPL all the time they need."""
        if self.watchdog:
            self.watch(_QUIET_MS)
        self._leave()

    def _leave(self) -> None:
        try:
            borrow("crash").leave(self)
        except Exception:  # no room, or a flash that does not read: it must not keep from a reset
            self.memory(b"")
