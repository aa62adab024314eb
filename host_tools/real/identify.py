"""Makes a board blink, so that a person sees which one it is: through the running sandbox, which
goes on, or at MicroPython's prompt.
"""

from __future__ import annotations

import json

from host_tools import boards
from host_tools.boards import Pin
from host_tools.deploy import settings
from host_tools.deploy.raw_repl import RawRepl
from host_tools.deploy.running import Application
from host_tools.errors import ToolError
from host_tools.target import Target

_LED = "led"
_MARGIN_S = 10

_BOARD = """
import sys
i = sys.implementation
print((getattr(i, '_build', ''), getattr(i, '_machine', '')))
"""

# Four times a second, then off. A NeoPixel takes red, green, blue up to 255; 32 does not dazzle.
_BLINK = """
import machine, time
led = machine.Pin({gpio}, machine.Pin.OUT)
if {pixel}:
    import neopixel
    pixel = neopixel.NeoPixel(led, 1)
def switch(on):
    if {pixel}:
        pixel[0] = (32, 32, 32) if on else (0, 0, 0)
        pixel.write()
    else:
        led.value(on != {active_low})
for i in range({seconds} * 8):
    switch(i % 2 == 0)
    time.sleep_ms(125)
switch(False)
"""


def identify(target: Target, seconds: int, definition: str | None = None) -> str:
    """Blink for some seconds; return how, in words. `definition`: a board's name or file, if it is
    not the one for the board's MicroPython.

    Raises ToolError if nothing usable answers, or the board has no pin called led.
    """
    repl = RawRepl(target.device, target.label)
    try:
        with repl.errors():
            application = Application(repl.serial, target)
            thing = application.find()
            if thing is not None:
                return _by_sandbox(application, target, thing, seconds)
        return _by_micropython(repl, target, seconds, definition)
    finally:
        repl.close()


def _by_sandbox(application: Application, target: Target, thing: str, seconds: int) -> str:
    document = json.dumps({"operation": "identify", "seconds": seconds})
    try:
        lines, status = application.ask(f"run {document}", seconds + _MARGIN_S)
    finally:
        application.release()
    if status != "0":
        pins = target.command("console --command pins")
        raise ToolError(
            f"the sandbox of {thing} did not blink: {lines[-1] if lines else 'no reason given'}",
            f"wait until its job is over; {pins} shows its pins",
        )
    return f"the board of thing {thing} blinked"


def _by_micropython(repl: RawRepl, target: Target, seconds: int, definition: str | None) -> str:
    repl.interrupt()
    build, machine = repl.run(_BOARD)[0]
    name = settings.definition(target, build, definition)
    led = boards.load(name).pins.get(_LED)
    if led is None:
        repl.leave()
        raise ToolError(
            f"{name} has no pin called {_LED}", "--definition with a board's file that has one"
        )
    repl.run(_blink(led, seconds), timeout_s=seconds + _MARGIN_S)
    repl.leave()
    return f"the board, {machine}, blinked at {led}"


def _blink(led: Pin, seconds: int) -> str:
    return _BLINK.format(
        gpio=led.gpio,
        pixel=led.kind == "neopixel",
        active_low=led.active_low,
        seconds=seconds,
    )
