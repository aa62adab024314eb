"""Resets the board: {"operation": "reboot"}. SUCCEEDED is reported after the boot, which the boot
counter proves.
"""

from micropython import const

from ..errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..work import Job

ARGUMENTS: dict = {}
TIMEOUT_S = 60
_MOST_TRIES = const(3)


async def run(arguments: dict, job: "Job") -> dict:
    """Report, save the boot counter, reset; called again after the boot, compare.

    A soft reset is no reboot: the try is made again. Raises JobFailed after three.
    """
    tries = job.saved.get("tries", 0)
    if tries and job.board.boots > job.saved["boot"] and job.board.reset_cause() != "SOFT_RESET":
        return {"boot": job.board.boots, "resetCause": job.board.reset_cause()}
    if tries >= _MOST_TRIES:
        raise JobFailed("REBOOT_FAILED", "no reset was seen after %d tries" % tries)
    await job.report({"step": "rebooting", "boot": job.board.boots})
    job.save({"boot": job.board.boots, "tries": tries + 1})
    await job.restart()
    raise JobFailed("REBOOT_FAILED", "the board went on running")
