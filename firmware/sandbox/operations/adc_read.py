"""Measures an analogue pin: {"operation": "adc-read", "pin": "sensor"}."""

import asyncio

import machine

from sandbox.errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {"pin": ("pin", "adc"), "samples": ("int", 1, 100)}
OPTIONAL = {"samples": 8}
ARGV = ("pin", "samples")
TIMEOUT_S = 10


async def run(arguments: dict, job: "Job") -> dict:
    """Return the mean in millivolts, and the extremes. Drives nothing: again does no harm."""
    pin = machine.Pin(job.board.pins[arguments["pin"]]["gpio"])
    try:
        adc = machine.ADC(pin, atten=machine.ADC.ATTN_11DB)
    except ValueError as error:
        raise JobFailed("NOT_POSSIBLE", str(error))
    values = []
    for _ in range(arguments["samples"]):
        values.append(adc.read_uv() // 1000)
        await asyncio.sleep_ms(10)
    return {
        "pin": arguments["pin"],
        "mv": sum(values) // len(values),
        "min_mv": min(values),
        "max_mv": max(values),
    }
