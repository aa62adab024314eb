"""Pulses of a pin, for the operation `gpio`. Loaded for them."""

import asyncio

from .errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .steps import Job


async def make(arguments: dict, job: "Job") -> dict:
    """Make the pulses and return the operation's result. Raises JobFailed when a reset has cut
    them off.
    """
    pin, board = arguments["pin"], job.board
    count = arguments["count"] if arguments["action"] == "blink" else 1
    try:
        if job.saved:
            raise JobFailed("INTERRUPTED", "a reset cut the pulses off")
        job.save({"begun": True})
        for i in range(count):
            if i:
                await asyncio.sleep_ms(arguments["off_ms"])
            board.switch(pin, True, arguments["colour"])
            await asyncio.sleep_ms(arguments["on_ms"])
            board.switch(pin, False)
            job.percent = 100 * (i + 1) // count
    finally:
        board.switch(pin, False)
    return {"pin": pin, "state": "off", "pulses": count}
