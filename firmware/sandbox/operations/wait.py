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
    return 10 + arguments["seconds"] * 51 // 50  # each second is a little late


async def run(arguments: dict, job: "Job") -> dict:
    """Wait `seconds`; after a reset, what is left of them by the clock."""
    seconds, begun = arguments["seconds"], 0
    if job.saved:
        begun = max(seconds - job.saved["until"] + int(time.time()), 0)
    else:
        job.save({"until": int(time.time()) + seconds})
    for i in range(begun, seconds):
        job.percent = 100 * i // seconds
        await asyncio.sleep(1)
    return {"waited_s": seconds}
