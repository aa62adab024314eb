"""`os` as an ESP32 has it: with uname and sync, without what only a Unix process has."""

from uos import *

del system, getenv, putenv, unsetenv  # noqa: F821  from the Unix port's os


def uname():
    """Return the five facts of ports/esp32/modos.c."""
    import sys
    from collections import namedtuple

    version = ".".join(str(part) for part in sys.implementation.version[:3])
    fields = ("sysname", "nodename", "release", "version", "machine")
    return namedtuple("uname", fields)(
        "esp32", "esp32", version, sys.version.split("; ")[-1], sys.implementation._machine
    )


def sync() -> None:
    """Flush file systems: nothing to do, flash is written through."""
