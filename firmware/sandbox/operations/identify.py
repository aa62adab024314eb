"""Blinks the LED, so that a person finds the board: {"operation": "identify", "seconds": 10}."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {"pin": ("pin", "gpio", "neopixel"), "seconds": ("int", 1, "duration_s")}
OPTIONAL = {"pin": "led", "seconds": 5}
ARGV = ("seconds", "pin")


def TIMEOUT_S(arguments: dict) -> int:  # noqa: N802  a constant for most operations
    """Return how long it may take."""
    return arguments["seconds"] * 2 + 5


async def run(arguments: dict, job: "Job") -> dict:
    """Blink four times a second, then leave the LED as it was. Again after a reset: no harm."""
    pin, seconds = arguments["pin"], arguments["seconds"]
    if "on" not in job.saved:
        job.save({"on": job.board.is_on(pin)})
    try:
        for i in range(8 * seconds):
            job.board.switch(pin, i % 2 == 0)
            await asyncio.sleep_ms(125)
            job.percent = 100 * i // (8 * seconds)
    finally:
        job.board.switch(pin, job.saved["on"])
    return {"pin": pin, "seconds": seconds}
