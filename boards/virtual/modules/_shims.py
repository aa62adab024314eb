"""`sys`, `micropython` and `tls` as an ESP32 has them.

These built-ins cannot be replaced by a file of their name (they are not "extensible"), so others
take their places in sys.modules.
"""

import io
import sys
from collections import namedtuple

import _hw
import _tls
import micropython

_POLL = 3  # MP_STREAM_POLL, py/stream.h


class _RawStdout(io.IOBase):
    """`sys.stdout.buffer`: bytes reach the serial line untouched, while print() turns LF into CR
    LF.

    The supervisor does that turning, so a raw LF is sent as DLE LF and DLE as DLE DLE.
    """

    def write(self, data, *span) -> int:
        # span: length, or offset and length, as every MicroPython stream takes (py/stream.c)
        if span:
            offset, length = span if len(span) == 2 else (0, span[0])
            data = memoryview(data)[offset : offset + length]
        sys.stdout.write(bytes(data).replace(b"\x10", b"\x10\x10").replace(b"\n", b"\x10\n"))
        return len(data)

    def ioctl(self, request: int, flags: int) -> int:
        return flags & 4 if request == _POLL else 0


class _Stdout(_RawStdout):
    """`sys.stdout`, text."""

    buffer = _RawStdout()

    def write(self, data, *span) -> int:
        return sys.stdout.write(data, *span)

    def flush(self) -> None:
        pass


_Implementation = namedtuple(
    "implementation", ("name", "version", "_machine", "_mpy", "_build", "_thread")
)


class _Sys:
    """What it does not define comes from the real module."""

    platform = "esp32"
    stdout = _Stdout()
    implementation = _Implementation(
        "micropython",
        sys.implementation.version,
        "Virtual %s (Unix port) with %s" % (_hw.chip, _hw.chip),
        sys.implementation._mpy,
        _hw.env("VB_BUILD"),
        "GIL",
    )

    def __getattr__(self, name: str):
        if name in ("atexit", "executable"):  # not on ESP32
            raise AttributeError(name)
        return getattr(sys, name)

    def __setattr__(self, name: str, value) -> None:
        setattr(sys, name, value)


class _Micropython:
    def __getattr__(self, name: str):
        return getattr(micropython, name)

    def kbd_intr(self, char: int) -> None:
        """Set the character that interrupts the program, -1 for none
        (shared/runtime/interrupt_char.c).

        The supervisor does it: the Unix port's own kbd_intr(-1) makes Ctrl-C kill the process.
        """
        _hw.tell("kbd %d" % char)


def install() -> None:
    sys.atexit(lambda: _hw.reset("soft"))  # Ctrl-D or SystemExit at the REPL
    sys.modules["sys"] = _Sys()
    sys.modules["micropython"] = _Micropython()
    sys.modules["tls"] = _tls
    try:
        import ssl
    except ImportError:
        pass  # a build without it: nothing of ours needs it
