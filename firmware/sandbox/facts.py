"""What the application runs on: MicroPython, and the heap of the system. Loaded when asked for."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


def show(write: "Callable[[str], None]") -> None:
    """Show MicroPython's version, .mpy version, build and chip; the system's free memory."""
    version = ".".join(str(part) for part in sys.implementation.version[:3])
    abi = getattr(sys.implementation, "_mpy", 0) & 0xFF
    build = getattr(sys.implementation, "_build", "")
    machine = getattr(sys.implementation, "_machine", "")
    write("micropython: %s, mpy %d, %s, %s" % (version, abi, build, machine))
    _show_system_heap(write)


def _show_system_heap(write: "Callable[[str], None]") -> None:
    # TLS and Wi-Fi live there, outside of MicroPython's heap; TLS needs one large block
    try:
        import esp32
    except ImportError:
        return
    regions = esp32.idf_heap_info(esp32.HEAP_DATA)
    free = sum(region[1] for region in regions)
    write("system heap: %d bytes free, %d in one piece" % (free, max(r[2] for r in regions)))
