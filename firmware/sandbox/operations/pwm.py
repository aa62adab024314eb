"""Drives a pin with pulses: {"operation": "pwm", "pin": "led", "duty_percent": 30}, for a while or
until a job switches it.
"""

import asyncio

import machine

from sandbox.errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {
    "pin": ("pin", "gpio"),
    "duty_percent": ("int", 0, 100),
    "freq_hz": ("int", 1, 40_000),
    "seconds": ("int", 1, "duration_s"),
}
OPTIONAL = {"freq_hz": 1000, "seconds": 0}
ARGV = ("pin", "duty_percent", "freq_hz", "seconds")


def TIMEOUT_S(arguments: dict) -> int:  # noqa: N802  a constant for most operations
    """Return how long it may take."""
    return arguments["seconds"] + 5


async def run(arguments: dict, job: "Job") -> dict:
    """Start the pulses; after `seconds`, or when it is stopped meanwhile, the pin is off."""
    name, seconds = arguments["pin"], arguments["seconds"]
    pin = job.board.pins[name]
    duty = arguments["duty_percent"]
    if pin.get("active_low"):
        duty = 100 - duty
    try:
        if seconds and job.saved:
            raise JobFailed("INTERRUPTED", "a reset cut it off")
        job.save({"begun": True})
        job.board.attach(
            name,
            machine.PWM(
                machine.Pin(pin["gpio"]), freq=arguments["freq_hz"], duty_u16=duty * 65535 // 100
            ),
        )
        for i in range(seconds):
            await asyncio.sleep(1)
            job.percent = 100 * i // seconds
    except ValueError as error:  # machine: no such frequency on this chip
        raise JobFailed("NOT_POSSIBLE", str(error))
    finally:
        if seconds:
            job.board.switch(name, False)
    return {
        "pin": name,
        "duty_percent": arguments["duty_percent"],
        "freq_hz": arguments["freq_hz"],
    }
