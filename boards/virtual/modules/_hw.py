"""The wires between the hardware stand-ins and the supervisor (`host_tools/board/supervisor.py`).

- The *control pipe*, one text line per message, child to supervisor:
  `up`, `reset soft|hard|deepsleep|power`, `wdt MS`, `feed`, `kbd CHAR`.
- The board's folder on the host, reached through a private VfsPosix, because the host's file
system
  is unmounted before boot.py runs: `flash.img`, `flash.ops`, `rtc`, `nvs.json`, `pins.jsonl`,
  `inputs.json`, `faults.json`.
- Facts of this boot in VB_… environment variables.

Imported by the stand-ins only; firmware never sees it.
"""

import json
import struct

import uos
import utime
import vfs

env = uos.getenv
chip = env("VB_CHIP")
boot_number = int(env("VB_BOOT"))
reset_cause = int(env("VB_CAUSE"))
unique_id = bytes(int(env("VB_UID")[i : i + 2], 16) for i in range(0, 12, 2))
raw_repl = env("VB_RAW") == "1"
host = vfs.VfsPosix(env("VB_DIR"))

NVS_SIZE = 0x6000  # ports/esp32/partitions-4MiB.csv

_control = open(int(env("VB_CONTROL")), "wb")


def tell(message: str) -> None:
    """Send one line to the supervisor. Blocks only as long as a pipe write does."""
    _control.write(message + "\n")


def reset(kind: str) -> None:
    """Ask for a reset and wait for the end of this process. Never returns.

    The supervisor kills the process: no finaliser runs, as in a real reset.
    """
    tell("reset " + kind)
    while True:
        try:
            utime.sleep(60)
        except KeyboardInterrupt:  # a reset is not to be stopped by Ctrl-C
            pass


def read_json(name: str) -> dict:
    """Return the object in a host file, {} if it is missing or just being written."""
    try:
        with host.open("/" + name, "r") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def fault(name: str):
    """Return the setting of a fault button, None when it is not pressed, or no longer
    (`host_tools/board/faults.py`).
    """
    faults = read_json("faults.json")
    until = faults.get("until", {}).get(name)
    if until and utime.time_ns() >= until * 1e9:
        return None
    return faults.get(name)


class Rtc:
    """The RTC domain: clock and user memory. Kept over every reset, made new at power-on.

    The clock is stored as the host time, in µs since 1970, at which it would have read 2000-01-01
    00:00. On the chip it is the boot time in an RTC register plus the RTC timer (IDF
    esp_time_impl.c), and MicroPython's 0 is the year 2000 (ports/esp32/main.c,
    platform_mbedtls_time).
    """

    _CLOCK = "<qH"
    MEMORY_SIZE = 2048  # machine_rtc.c, MICROPY_HW_RTC_USER_MEM_MAX

    def __init__(self) -> None:
        self._file = host.open("/rtc", "r+b")
        _, length = struct.unpack(self._CLOCK, self._file.read(10))
        self.memory = self._file.read(length)

    def now_us(self) -> int:
        """Return µs since 2000-01-01 by the board's own clock."""
        self._file.seek(0)  # a fault button may have set it
        zero_us, _ = struct.unpack(self._CLOCK, self._file.read(10))
        return utime.time_ns() // 1000 - zero_us

    def set_us(self, now_us: int) -> None:
        self._save(0, struct.pack("<q", utime.time_ns() // 1000 - now_us))

    def set_memory(self, data: bytes) -> None:
        self.memory = data
        self._save(8, struct.pack("<H", len(data)) + data)

    def _save(self, place: int, data: bytes) -> None:
        # nothing else with it: a fault button may have set the clock
        self._file.seek(place)
        self._file.write(data)


class Edges:
    """The record of what the pins did: one JSON line per edge, one append each, so that a kill
    loses none.
    """

    def __init__(self) -> None:
        self._file = host.open("/pins.jsonl", "ab")
        self.last = json.loads(env("VB_PINS"))  # {"2": 1}: levels that outlived the reset

    def record(self, gpio: int, value, **more) -> None:
        """Append an edge of pin `gpio` to `value` (0, 1, "z", "pwm", "rgb")."""
        edge = {
            "t": utime.time_ns() / 1e9,
            "pin": gpio,
            "name": None,
            "value": value,
            "boot": boot_number,
        }
        edge.update(more)
        self._file.write(json.dumps(edge) + "\n")


rtc = Rtc()
edges = Edges()
