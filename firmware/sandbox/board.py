"""The board's hardware: named pins, resets, the watchdog. The only importer of `machine`.

Only pins named in /board.json exist here, so no job can drive any other.
"""

import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_QUIET_MS = 2_000_000_000  # 23 days: as good as off, since an ESP32 watchdog cannot be stopped
_CAUSES = ("PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET")


class Board:
    """The hardware by the definition in /board.json, which `setup` has checked:
    {"board", "chip", "pins": {name: {"gpio", "active_low"}}, "forbidden": {gpio: reason}}.
    `boots` counts the starts of the application.
    """

    def __init__(self, definition: "dict[str, Any]", boots: int = 0) -> None:
        self.name = definition.get("board", "unknown")
        self.boots = boots
        self.pins: "dict[str, dict]" = definition.get("pins", {})
        self._open: "dict[str, Any]" = {}
        self._watchdog: "Any" = None

    def switch(self, name: str, on: bool) -> None:
        """Drive a pin on or off; what that means for its level, the board file says."""
        pin = self.pins[name]
        level = int(on != bool(pin.get("active_low")))
        if name in self._open:
            self._open[name].value(level)
        else:
            self._open[name] = machine.Pin(pin["gpio"], machine.Pin.OUT, value=level)

    def is_on(self, name: str) -> bool:
        """Return whether a pin is driven on; one not driven since the reset is off."""
        inverted = bool(self.pins[name].get("active_low"))
        return name in self._open and bool(self._open[name].value()) != inverted

    def reset(self) -> None:
        """Reset the chip, as the reset button does."""
        machine.reset()

    def reset_cause(self) -> str:
        """Return the name of the last reset's cause, as `machine` has it."""
        cause = machine.reset_cause()
        for name in _CAUSES:
            if getattr(machine, name, None) == cause:
                return name
        return "UNKNOWN_RESET"

    def watch(self, timeout_ms: int) -> None:
        """Start the watchdog, or change its time-out (ESP32: making it again reconfigures it)."""
        self._watchdog = machine.WDT(timeout=timeout_ms)

    def feed(self) -> None:
        """Put the watchdog off."""
        if self._watchdog:
            self._watchdog.feed()

    def calm(self) -> None:
        """Give whoever works in the REPL all the time they need."""
        if self._watchdog:
            self.watch(_QUIET_MS)
