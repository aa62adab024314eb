"""Fetches a file: {"operation": "download-file", "url": "https://…", "path": "/files/x"}.

The server is verified by the board's roots, or by the one root in /config.json's `download_root`.
Plain http is for the host that the board is connected to: a local IoT Core's S3. A plain ESP32 has
no memory for two TLS connections, so the link pauses while https is used.
"""

import asyncio
import gc
import hashlib
import os

from micropython import const

from ..errors import ConfigError, JobFailed
from ..files import read_json
from ..lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..steps import Job

ARGUMENTS = {
    "url": ("url",),
    "path": ("file",),
    "sha256": ("hex", 64),
    "max_bytes": ("int", 1, "file_bytes"),
}
OPTIONAL = {"sha256": "", "max_bytes": "file_bytes"}
ARGV = ("url", "path", "sha256")
TIMEOUT_S = 540
_TEMPORARY = "/files/.new"  # no name in /files begins with a dot
_SILENCE_MS = const(15_000)
_ROOM = const(512)
_LONGEST_HEAD = const(4096)
_MOST_TRIES = const(3)


async def run(arguments: dict, job: "Job") -> dict:
    """Fetch, check, rename. Until the rename nothing has happened, so after a reset it begins
    again. If memory runs out, before or after, a reset gives a whole heap.
    """
    saved, box = job.saved, [None]
    if "code" in saved:
        raise JobFailed(saved["code"], saved["reason"])
    if "path" in saved:
        return saved
    tries = saved.get("tries", 0)
    result: "dict[str, Any]" = {"tries": tries + 1}
    try:
        await asyncio.sleep(tries)  # just after a start others need memory, too
        result = await _download(arguments, job, box)
    except JobFailed as error:
        result = {"code": error.args[0], "reason": error.args[1]}
    except MemoryError:
        if tries >= _MOST_TRIES:
            result = {"code": "OUT_OF_MEMORY", "reason": "also after %d resets" % tries}
    finally:
        _remove()
        await _give_back_context(box, job, result)
        job.network.held = False
    if "tries" in result:
        job.save(result)
        await job.restart()
    if "code" in result:
        raise JobFailed(result["code"], result["reason"])
    return result


async def _download(arguments: dict, job: "Job", box: list) -> dict:
    secure, host, port, target = _split(arguments["url"])
    if not secure and host != job.config.endpoint:
        raise JobFailed("INSECURE_URL", "http is for %s only" % job.config.endpoint)
    try:
        if secure:
            await job.network.hold(job.link)
            _take_context(box, job)
        size, digest = await _fetch(box, host, port, target, arguments["max_bytes"], job)
        if arguments["sha256"].lower() not in ("", digest):
            raise JobFailed("HASH_MISMATCH", "its SHA-256 is " + digest)
        os.rename(_TEMPORARY, arguments["path"])
    except (ConfigError, OSError, ValueError, asyncio.TimeoutError) as error:
        what = "no answer in time" if isinstance(error, asyncio.TimeoutError) else str(error)
        raise JobFailed("DOWNLOAD_FAILED", "%s: %s" % (host, what))
    return {"path": arguments["path"], "bytes": size, "sha256": digest}


def _take_context(box: list, job: "Job") -> None:
    # A context takes 1.5 to 3 KB in one piece, which a used heap may not have but where the
    # link's lies; so the module comes first, then that one goes
    credentials = borrow("credentials")
    root = read_json("/config.json").get("download_root", "")
    job.link.context = None
    gc.collect()
    box[0] = credentials.verifying_context(root)


async def _give_back_context(box: list, job: "Job", result: dict) -> None:
    if job.link.context:
        return
    box[0] = None
    try:
        credentials = borrow("credentials")
        gc.collect()
        job.link.context = credentials.tls_context()
    except MemoryError:  # MicroPython may still see the old one somewhere on a stack
        job.save(result)
        await job.restart()


async def _fetch(
    box: list, host: str, port: int, target: str, most: int, job: "Job"
) -> "tuple[int, str]":
    # into the temporary file; returns its size and hash
    opening: "Any" = asyncio.open_connection(host, port, ssl=box[0], server_hostname=host)
    reader, writer = await asyncio.wait_for_ms(opening, _SILENCE_MS)
    try:
        where = host if port in (80, 443) else "%s:%d" % (host, port)
        writer.write(b"GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" % (target.encode(), where.encode()))
        await asyncio.wait_for_ms(writer.drain(), _SILENCE_MS)
        head, rest = await _head(reader)
        return await _body(reader, rest, _length(head), most, job)
    finally:
        reader.close()


async def _head(reader: "Any") -> "tuple[bytes, bytes]":
    data = b""
    while True:
        head, end, rest = data.partition(b"\r\n\r\n")
        if end:
            break
        piece = await asyncio.wait_for_ms(reader.read(_ROOM), _SILENCE_MS)
        data += piece
        if not piece or len(data) > _LONGEST_HEAD:
            raise JobFailed("HTTP_ERROR", "the answer is not HTTP")
    words = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
    if words[1:2] != ["200"]:
        raise JobFailed("HTTP_ERROR", "the server answered " + " ".join(words[1:]))
    return head, rest


def _length(head: bytes) -> int:
    # -1 when the server does not tell
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return -1


async def _body(
    reader: "Any", piece: bytes, length: int, most: int, job: "Job"
) -> "tuple[int, str]":
    digest = hashlib.sha256()
    size = 0
    try:
        os.mkdir("/files")
    except OSError:
        pass  # exists
    with open(_TEMPORARY, "wb") as file:
        while piece or size < length or length < 0:
            if not piece:
                piece = await asyncio.wait_for_ms(reader.read(_ROOM), _SILENCE_MS)
                if not piece:
                    break
            size += len(piece)
            if max(size, length) > most:
                raise JobFailed("FILE_TOO_LARGE", "over %d bytes" % most)
            file.write(piece)
            digest.update(piece)
            piece = b""
            if length > 0:
                job.percent = 100 * size // length
    if size < length:
        raise JobFailed("DOWNLOAD_FAILED", "it ended after %d of %d bytes" % (size, length))
    return size, digest.digest().hex()


def _split(url: str) -> "tuple[bool, str, int, str]":
    scheme, _, rest = url.partition("://")
    where, slash, target = rest.partition("/")
    where, mark, query = where.partition("?")
    name, _, port = where.partition(":")
    secure = scheme == "https"
    number = int(port) if port.isdigit() else 443 if secure else 80
    return secure, name, number, slash + target if slash else "/" + mark + query


def _remove() -> None:
    try:
        os.remove(_TEMPORARY)
    except OSError:
        pass  # renamed, or never made
