"""Fetches a file: {"operation": "download-file", "url": "https://…", "path": "/files/x"}.

The server is verified by the board's roots, as the link's is. Plain http is for the host that the
board is connected to: a local IoT Core's S3. A plain ESP32 has no memory for two TLS connections,
so the link pauses while https is used.
"""

import asyncio
import os
import time

from micropython import const

from sandbox.errors import JobFailed
from sandbox.files import make_folder
from sandbox.lazy import borrow, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {
    "url": ("url",),
    "path": ("file",),
    "sha256": ("hex", 64),
    "max_bytes": ("int", 1, "file_bytes"),
}
OPTIONAL = {"sha256": "", "max_bytes": "file_bytes"}
ARGV = ("url", "path", "sha256")
TIMEOUT_S = 540
_TEMPORARY = const("/files/.new")  # no name in /files begins with a dot
_LEAVE_MS = const(10_000)


async def run(arguments: dict, job: "Job") -> dict:
    """Fetch, check, rename. Until the rename nothing has happened, so after a reset it begins
    again.
    """
    url, path = arguments["url"], arguments["path"]
    try:
        make_folder("/files")
        if url[0].startswith("https"):
            await _pause(job)
        # in a task that forgets it: the link, which comes back, needs its room
        fetching = spawn(borrow("fetch").run(url, _TEMPORARY, arguments["max_bytes"], job))
        size, digest = await fetching
        if arguments["sha256"].lower() not in ("", digest):
            raise JobFailed("HASH_MISMATCH", "its SHA-256 is " + digest)
        if job.network.held:  # it may have been cancelled while the link paused
            job.network.held = False
            await job.report({"operation": "download-file", "percent": 99})
        os.rename(_TEMPORARY, path)
    except OSError as error:
        raise JobFailed("DOWNLOAD_FAILED", "%s: %s" % (path, error))
    finally:
        _remove()
        job.network.held = False
    return {"path": path, "bytes": size, "sha256": digest}


async def _pause(job: "Job") -> None:
    # Takes the link down, for its memory, until `held` is false again
    job.network.held = True
    job.log.info("link", "pauses")
    await job.link.leave()
    began = time.ticks_ms()
    while job.link.online.is_set() and time.ticks_diff(time.ticks_ms(), began) < _LEAVE_MS:
        await asyncio.sleep_ms(50)


def _remove() -> None:
    try:
        os.remove(_TEMPORARY)
    except OSError:
        pass  # renamed, or never made
