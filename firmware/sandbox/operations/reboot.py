"""Resets the board: {"operation": "reboot"}. SUCCEEDED is reported after the boot, which the boot
counter proves. `kind` soft starts only MicroPython again.
"""

import asyncio

from micropython import const

from sandbox.errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {"kind": ("choice", "hard", "soft"), "delay_s": ("int", 0, "duration_s")}
OPTIONAL = {"kind": "hard", "delay_s": 0}
ARGV = ("kind", "delay_s")
_MOST_TRIES = const(3)


def TIMEOUT_S(arguments: dict) -> int:  # noqa: N802  a constant for most operations
    """Return how long it may take."""
    return arguments["delay_s"] + 60


async def run(arguments: dict, job: "Job") -> dict:
    """Report, save the boot counter, reset; called again after the boot, compare.

    A soft reset is no hard one: the try is made again. Raises JobFailed after three.
    """
    board, soft = job.board, arguments["kind"] == "soft"
    tries = job.saved.get("tries", 0)
    cause = board.cause
    if tries and board.boots > job.saved["boot"] and (soft or cause != "SOFT_RESET"):
        return {"boot": board.boots, "resetCause": cause}
    if tries >= _MOST_TRIES:
        raise JobFailed("REBOOT_FAILED", "no reset was seen after %d tries" % tries)
    if not tries:
        await asyncio.sleep(arguments["delay_s"])
    await job.report({"step": "rebooting", "boot": board.boots})
    job.save({"boot": board.boots, "tries": tries + 1})
    await job.restart(soft)
    raise JobFailed("REBOOT_FAILED", "the board went on running")
