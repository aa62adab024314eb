"""Fetches a file by HTTP, through TLS or not. Loaded while it comes, not while the link does."""

import asyncio
import hashlib

from micropython import const

from .errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Coroutine

    from .steps import Job

_SILENCE_MS = const(15_000)
_ROOM = const(256)


async def run(url: "list[str]", path: str, most: int, job: "Job") -> "tuple[int, str]":
    """Write what is at `url`, pieces that are used up, into the file `path`, at most so many
    bytes; return its size and SHA-256. Raises JobFailed.
    """
    secure, host, port, end = _split(url[0])
    if not secure and host != job.config.endpoint:
        raise JobFailed("INSECURE_URL", "http is for %s only" % job.config.endpoint)
    context = job.link.context if secure else None
    try:
        opening: "Any" = asyncio.open_connection(host, port, ssl=context, server_hostname=host)
        reader, writer = await _in_time(opening)
        try:
            await _ask(writer, url, end, host if port in (80, 443) else "%s:%d" % (host, port))
            return await _body(reader, path, most, job, *await _head(reader))
        finally:
            await reader.wait_closed()  # which closes; asyncio's poller may hold it for long
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        late = isinstance(error, asyncio.TimeoutError)
        what = host, "no answer in time" if late else error
        raise JobFailed("DOWNLOAD_FAILED", "%s: %s" % what)


def _split(url: str) -> "tuple[bool, str, int, int]":
    # is it https, host, port, where that ends
    secure = url.startswith("https")
    begin = end = url.find("://") + 3
    while end < len(url) and url[end] not in "/?":
        end += 1
    name, _, port = url[begin:end].partition(":")
    return secure, name, int(port) if port.isdigit() else 443 if secure else 80, end


async def _in_time(waiting: "Coroutine") -> "Any":
    return await asyncio.wait_for_ms(waiting, _SILENCE_MS)


async def _ask(writer: "Any", url: "list[str]", at: int, where: str) -> None:
    writer.write(b"GET " if url[0][at : at + 1] == "/" else b"GET /")
    while url:  # uses it up: it may be long
        writer.write(url.pop(0)[at:].encode())
        at = 0
        await _in_time(writer.drain())
    writer.write(b" HTTP/1.0\r\nHost: %s\r\n\r\n" % where.encode())
    await _in_time(writer.drain())


async def _head(reader: "Any") -> "tuple[int, bytes]":
    # the length of the body, -1 when the server does not tell; what of the body has come
    length, rest, status, long = -1, b"", None, False
    while True:
        piece = await _in_time(reader.read(_ROOM))
        rest += piece
        line, end, more = rest.partition(b"\r\n")
        while end:
            rest = more
            if long:
                long = False
            elif status is None:
                status = line.decode().split(" ", 2)[1:]
                if status[:1] != ["200"]:
                    raise JobFailed("HTTP_ERROR", "the server answered " + " ".join(status))
            elif not line:
                return length, rest
            elif line.lower().startswith(b"content-length:"):
                length = int(line[15:])
            line, end, more = rest.partition(b"\r\n")
        if len(rest) > _ROOM:  # a long line says nothing that is needed here
            rest, long = rest[-1:], True
        if not piece or (long and status is None):
            raise JobFailed("HTTP_ERROR", "the answer is not HTTP")


async def _body(
    reader: "Any", path: str, most: int, job: "Job", length: int, piece: "Any"
) -> "tuple[int, str]":
    digest = hashlib.sha256()
    size = 0
    room = None
    with open(path, "wb") as file:
        while piece or size < length or length < 0:
            if not piece:
                room = room or memoryview(bytearray(_ROOM))
                got = None
                while got is None:  # what has come may have been for TLS only
                    got = await _in_time(reader.readinto(room))
                if not got:
                    break
                piece = room[:got]
            if length >= 0:
                piece = piece[: length - size]
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
