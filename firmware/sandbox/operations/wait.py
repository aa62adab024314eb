"""Waits: {"operation": "wait", "seconds": 30}. A reset in the middle does not make it longer."""

import asyncio
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {"seconds": ("int", 1, "duration_s")}
ARGV = ("seconds",)


def TIMEOUT_S(arguments: dict) -> int:  # noqa: N802  a constant for most operations
    """Return how long it may take."""
    return arguments["seconds"] + 10


async def run(arguments: dict, job: "Job") -> dict:
    """Wait until `seconds` after the first call."""
    seconds = arguments["seconds"]
    if not job.saved:
        job.save({"until": int(time.time()) + seconds})
    while True:
        left = min(job.saved["until"] - int(time.time()), seconds)
        if left <= 0:
            return {"waited_s": seconds}
        job.percent = 100 * (seconds - left) // seconds
        await asyncio.sleep(1)
