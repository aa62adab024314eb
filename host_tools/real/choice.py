"""Which port `--port auto` means."""

from __future__ import annotations

import sys

from host_tools.errors import ToolError, UsageError
from host_tools.output import say
from host_tools.real.listing import UsbPort, usb_ports


def choose() -> str:
    """Return the port of the only board.

    Ports that look like a board we know come before other ones on USB, and permitted ones before
    others. Raises UsageError that lists several with what is on them, ToolError if there is none,
    with the reason.
    """
    found = usb_ports()
    fitting = [port for port in found if port.kinds] or found
    permitted = [port for port in fitting if port.is_permitted]
    if not permitted:
        raise _none(fitting)
    if len(permitted) > 1:
        raise _several(permitted)
    say(f"the only board is on {permitted[0].device}")
    return permitted[0].device


def no_port() -> ToolError:
    """Return the error for a computer without any port on USB."""
    hint = "a cable that carries data, another socket; `jobs-sandbox ports` shows what is there"
    if sys.platform.startswith("linux"):
        hint += "; `dmesg | tail` tells what the kernel saw"
    return ToolError("no board is plugged in: no serial port on USB", hint)


def _none(forbidden: list[UsbPort]) -> ToolError:
    from host_tools.deploy import port_trouble

    if not forbidden:
        return no_port()
    return port_trouble.cannot_open(forbidden[0].device, "board")


def _several(ports: list[UsbPort]) -> UsageError:
    from host_tools.real.look import look_at_all

    seen = look_at_all(ports, boot_loader=False)
    listed = "\n".join(f"    {each}" for each in seen)
    usable = [each for each in seen if not each.trouble] or seen
    return UsageError(f"which board? there are\n{listed}", f"--port {usable[0].port}")
