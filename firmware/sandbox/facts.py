"""What the application runs on: MicroPython, Wi-Fi, and the heap of the system. Loaded when asked
for.
"""

import sys

import esp32
import network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


def version() -> str:
    """Return MicroPython's version."""
    return "%d.%d.%d" % sys.implementation.version[:3]


def wifi(settings: dict) -> str:
    """Return one line on the state of Wi-Fi. `settings`: {"ssid", "password"}."""
    station = network.WLAN(network.STA_IF)
    ssid = settings.get("ssid", "")
    if not station.isconnected():
        return "not connected to %s" % ssid
    try:
        rssi = "%d" % station.status("rssi")
    except (OSError, ValueError):
        rssi = "?"
    return "%s, %s, RSSI %s dBm" % (ssid, station.ifconfig()[0], rssi)


def system_heap() -> tuple[int, int]:
    """Return how many bytes are free, and in one piece, where TLS and Wi-Fi live, outside of
    MicroPython's heap; TLS needs one large block.
    """
    regions = esp32.idf_heap_info(esp32.HEAP_DATA)  # (total, free, largest free, lowest) each
    return sum(region[1] for region in regions), max(region[2] for region in regions)


def show(write: "Callable[[str], None]") -> None:
    """Show MicroPython's version, .mpy version, build and chip; the system's free memory."""
    abi = getattr(sys.implementation, "_mpy", 0) & 0xFF
    build = getattr(sys.implementation, "_build", "")
    machine = getattr(sys.implementation, "_machine", "")
    write("micropython: %s, mpy %d, %s, %s" % (version(), abi, build, machine))
    write("system heap: %d bytes free, %d in one piece" % system_heap())
