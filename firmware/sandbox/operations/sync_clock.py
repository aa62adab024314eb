"""Sets the clock by NTP: {"operation": "sync-clock"}."""

import time

from sandbox.errors import JobFailed
from sandbox.lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS: dict = {}
TIMEOUT_S = 60


async def run(arguments: dict, job: "Job") -> dict:
    """Ask the configured hosts, one after another. Again after a reset: no harm."""
    before, ticks = time.time(), time.ticks_ms()
    if not await borrow("clock").set_from(job.config.ntp, job.log):
        raise JobFailed("CLOCK_NOT_SET", "none of %s answered" % ", ".join(job.config.ntp))
    shift = time.time() - before - time.ticks_diff(time.ticks_ms(), ticks) // 1000
    return {"clock": "%04d-%02d-%02dT%02d:%02d:%02dZ" % time.gmtime()[:6], "shift_s": shift}
