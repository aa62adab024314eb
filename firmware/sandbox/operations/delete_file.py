"""Removes a file that a job has downloaded: {"operation": "delete-file", "path": "/files/x"}."""

import os

from sandbox.errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {"path": ("file",)}
ARGV = ("path",)
TIMEOUT_S = 10


async def run(arguments: dict, job: "Job") -> dict:
    """Remove it; gone already after a reset is done, too."""
    path, begun = arguments["path"], job.saved
    job.save({"begun": True})
    try:
        os.remove(path)
    except OSError:
        if not begun:
            raise JobFailed("NO_FILE", "there is no " + path)
    return {"path": path}
