"""Tells how the board is: {"operation": "report"}; `files` false leaves the check of the files
out, which takes a moment.
"""

import asyncio
import gc

from sandbox import VERSION
from sandbox.errors import ConfigError
from sandbox.lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {"files": ("bool",)}
OPTIONAL = {"files": True}
TIMEOUT_S = 60


async def run(arguments: dict, job: "Job") -> dict:
    """Return versions, uptime, heaps, signal, resets, and which files differ from the manifest."""
    facts = borrow("facts")
    gc.collect()
    result = {
        "version": "%s, MicroPython %s on %s" % (VERSION, facts.version(), job.board.name),
        "uptime_s": job.log.uptime_ms() // 1000,
        "heap": "%d used, %d free; IDF %d free, %d in one piece"
        % ((gc.mem_alloc(), gc.mem_free()) + facts.system_heap()),
        "rssi": facts.wifi(job.config.wifi).rpartition("RSSI ")[2],
        "boot": "%d, %s" % (job.board.boots, job.board.cause),
    }
    if arguments["files"]:
        result["files"] = await _compare(job)
    return result


async def _compare(job: "Job") -> str:
    try:
        files = borrow("reader").read_json("/manifest.json").get("files", {})
    except ConfigError as error:
        return str(error)
    sha256 = borrow("hashes").sha256
    changed = []
    for i, path in enumerate(sorted(files)):
        if sha256(path) != files[path]:
            changed.append(path)
        job.percent = 100 * i // len(files)
        await asyncio.sleep_ms(0)
    return "changed: " + ", ".join(changed) if changed else "%d as deployed" % len(files)
