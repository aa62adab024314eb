"""What is on a serial port: the sandbox, MicroPython, a boot loader, or nothing that answers.

A running application is asked, not disturbed. At a MicroPython prompt a few lines are run, without
a reset. Only if nothing answers, and if asked to, the chip's boot loader is tried, which resets
the chip.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import asdict, dataclass
from typing import Any

from host_tools.errors import ToolError
from host_tools.real.listing import UsbPort
from host_tools.target import Target

# Prints (what sys.implementation says, MicroPython's version, MAC, thing)
_WHO = """
import machine, sys
try:
    with open('/config.json') as f:
        import json
        thing = json.load(f)['thing']
except Exception:
    thing = ''
i = sys.implementation
print((getattr(i, '_machine', ''), '.'.join(str(n) for n in i[1][:3]), machine.unique_id(), thing))
"""
_CHIP = re.compile(r"with (ESP32\w*)")
_VERSION = re.compile(r"micropython: (\S+)")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")


@dataclass(frozen=True)
class Seen:
    """A port and what is on it; "" for what is not known. `trouble`: why it cannot be used."""

    port: str
    usb: str = ""
    description: str = ""
    chip: str = ""
    mac: str = ""
    firmware: str = ""
    thing: str = ""
    trouble: str = ""
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return what `ports --json` prints."""
        return asdict(self)

    def __str__(self) -> str:
        if self.trouble:
            return f"{self.port}  {self.description or self.usb}: {self.trouble}"
        facts = [self.chip or "chip unknown", self.mac or "MAC unknown"]
        facts += [self.firmware or "silent", f"thing {self.thing}" if self.thing else "no thing"]
        return f"{self.port}  {', '.join(facts)}  ({self.description or self.usb})"


def look_at_all(ports: list[UsbPort], *, boot_loader: bool) -> list[Seen]:
    """Look at all ports, one after another; takes up to 2 s for one on which nothing answers."""
    seen = [look(port) for port in ports]
    if not boot_loader:
        return seen
    return [each if each.firmware or each.trouble else _ask_boot_loader(each) for each in seen]


def look(port: UsbPort) -> Seen:
    """Return what is on a port. Raises nothing: trouble is part of what is seen."""
    number = port.serial_number or ""
    known = {
        "usb": port.usb,
        "description": port.description,
        "chip": port.chips[0] if len(port.chips) == 1 else "",
        "mac": number.lower() if port.chips and _MAC.fullmatch(number) else "",
    }
    try:
        return Seen(port.device, **{**known, **_ask(port.device)})
    except ToolError as error:
        return Seen(port.device, trouble=error.message, hint=error.hint, **known)


def _ask(device: str) -> dict[str, str]:
    from host_tools.deploy.raw_repl import RawRepl
    from host_tools.deploy.running import Application

    repl = RawRepl(device, "board")
    try:
        with repl.errors():
            application = Application(repl.serial, Target(device, None))
            thing = application.find()
            if thing is not None:
                return _of_sandbox(application, thing)
        if application.at_prompt:
            return _of_micropython(repl)
    finally:
        repl.close()
    return {}


def _of_sandbox(application: Any, thing: str) -> dict[str, str]:
    answer = "\n".join(application.ask("status")[0])
    application.release()
    facts = {"thing": thing, "firmware": "Jobs Sandbox"}
    if found := re.search(r"firmware: (\S+) on (\S+)", answer):
        facts["firmware"] = f"Jobs Sandbox {found[1]} on {found[2]}"
        facts |= _chip_of(found[2])
    return facts


def _chip_of(definition: str) -> dict[str, str]:
    from host_tools import boards

    with contextlib.suppress(ToolError):
        return {"chip": boards.load(definition).chip}
    return {}


def _of_micropython(repl: Any) -> dict[str, str]:
    repl.interrupt()
    machine, version, mac, thing = repl.run(_WHO)[0]
    repl.leave()
    chip = _CHIP.search(machine)
    return {
        "firmware": f"MicroPython {version}",
        "chip": chip[1] if chip else "",
        "mac": ":".join(f"{byte:02x}" for byte in mac),
        "thing": str(thing),
    }


def _ask_boot_loader(seen: Seen) -> Seen:
    from host_tools.flash import esp, held

    known = seen.as_dict()
    try:
        with esp.connect(seen.port, stub=False) as chip:
            try:
                known |= {"chip": chip.name, "mac": chip.mac, "firmware": held.look(chip).label}
            finally:
                chip.reset()
    except ToolError:
        return seen
    known["firmware"] = f"boot loader ({known['firmware']} in flash)"
    return Seen(**known)
