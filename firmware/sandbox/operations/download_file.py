"""Fetches a file: {"operation": "download-file", "url": "https://…", "path": "/files/x"}.

The server is verified by the board's roots, as the link's is. Plain http is for the host that the
board is connected to: a local IoT Core's S3. A plain ESP32 has no memory for two TLS connections,
so the link pauses while https is used.
"""

import asyncio
import hashlib
import os
import time

from micropython import const

from sandbox.errors import JobFailed
from sandbox.files import make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
_SILENCE_MS = const(15_000)
_LEAVE_MS = const(10_000)
_ROOM = const(512)
_LONGEST_HEAD = const(4096)


async def run(arguments: dict, job: "Job") -> dict:
    """Fetch, check, rename. Until the rename nothing has happened, so after a reset it begins
    again.
    """
    secure, host, port = _split(arguments["url"][0])
    if not secure and host != job.config.endpoint:
        raise JobFailed("INSECURE_URL", "http is for %s only" % job.config.endpoint)
    try:
        if secure:
            await _pause(job)
        size, digest = await _fetch(secure, host, port, arguments, job)
        if arguments["sha256"].lower() not in ("", digest):
            raise JobFailed("HASH_MISMATCH", "its SHA-256 is " + digest)
        if secure:  # it may have been cancelled while the link paused
            job.network.held = False
            await job.report({"operation": "download-file", "percent": 99})
        os.rename(_TEMPORARY, arguments["path"])
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        what = "no answer in time" if isinstance(error, asyncio.TimeoutError) else str(error)
        raise JobFailed("DOWNLOAD_FAILED", "%s: %s" % (host, what))
    finally:
        _remove()
        job.network.held = False
    return {"path": arguments["path"], "bytes": size, "sha256": digest}


async def _pause(job: "Job") -> None:
    # Takes the link down, for its memory, until `held` is false again
    job.network.held = True
    job.log.info("link", "pauses")
    await job.link.leave()
    began = time.ticks_ms()
    while job.link.online.is_set() and time.ticks_diff(time.ticks_ms(), began) < _LEAVE_MS:
        await asyncio.sleep_ms(50)


async def _fetch(
    secure: bool, host: str, port: int, arguments: dict, job: "Job"
) -> "tuple[int, str]":
    # into the temporary file; returns its size and hash
    context = job.link.context if secure else None
    opening: "Any" = asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    reader, writer = await asyncio.wait_for_ms(opening, _SILENCE_MS)
    try:
        where = host if port in (80, 443) else "%s:%d" % (host, port)
        await _ask(writer, arguments["url"], where)
        head, rest = await _head(reader)
        return await _body(reader, rest, _length(head), arguments["max_bytes"], job)
    finally:
        reader.close()


async def _ask(writer: "Any", url: "list[str]", where: str) -> None:
    first = url[0][_target(url[0]) :]
    writer.write(b"GET " if first[:1] == "/" else b"GET /")
    for piece in [first] + url[1:]:
        writer.write(piece.encode())
        await asyncio.wait_for_ms(writer.drain(), _SILENCE_MS)
    writer.write(b" HTTP/1.0\r\nHost: %s\r\n\r\n" % where.encode())
    await asyncio.wait_for_ms(writer.drain(), _SILENCE_MS)


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
    make_folder("/files")
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


def _target(url: str) -> int:
    # where path and query begin
    at = url.find("://") + 3
    while at < len(url) and url[at] not in "/?":
        at += 1
    return at


def _split(url: str) -> "tuple[bool, str, int]":
    secure = url[:8] == "https://"
    name, _, port = url[url.find("://") + 3 : _target(url)].partition(":")
    return secure, name, int(port) if port.isdigit() else 443 if secure else 80


def _remove() -> None:
    try:
        os.remove(_TEMPORARY)
    except OSError:
        pass  # renamed, or never made
