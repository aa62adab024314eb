"""Gets pages and files over HTTP, whole or not at all."""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from host_tools import __version__
from host_tools.errors import ToolError

Progress = Callable[[str, int, int], None]  # what is done, bytes so far, of how many

_TIMEOUT_S = 30
_BLOCK = 64 << 10
_LARGEST_PAGE = 4 << 20
_HINT = "check the network and proxy settings; or --firmware FILE, downloaded by hand"


def page(url: str) -> str:
    """Return a page's text; ToolError if it cannot be had."""
    with _open(url) as answer:
        return answer.read(_LARGEST_PAGE).decode("utf-8", "replace")


def to_file(url: str, path: Path, largest: int, progress: Progress) -> bytes:
    """Write what is at `url` to `path` and return it. Raises ToolError if it does not come whole,
    is larger than `largest` bytes or cannot be written; the caller removes what is there then.
    """
    with _open(url) as answer, _writing(path) as write:
        return _receive(url, answer, largest, write, progress)


def _receive(
    url: str,
    answer: http.client.HTTPResponse,
    largest: int,
    write: Callable[[bytes], None],
    progress: Progress,
) -> bytes:
    length = answer.headers.get("Content-Length") or ""
    total = int(length) if length.isdigit() else 0
    data = bytearray()
    while block := answer.read(_BLOCK):
        data += block
        if max(len(data), total) > largest:
            raise ToolError(f"{url} is no firmware: it is larger than {largest >> 20} MB", _HINT)
        write(block)
        progress("downloading", len(data), total or len(data))
    if len(data) < total:
        raise ToolError(f"{url}: the download broke off, {len(data)} of {total} bytes came", _HINT)
    return bytes(data)


@contextlib.contextmanager
def _open(url: str) -> Iterator[http.client.HTTPResponse]:
    request = urllib.request.Request(  # noqa: S310 (the caller allows http: and https: only)
        url, headers={"User-Agent": f"jobs-sandbox/{__version__}"}
    )
    try:
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=_TIMEOUT_S, context=_trust()
        ) as answer:
            if url.startswith("https:") and not answer.url.startswith("https:"):
                raise ToolError(f"{url} leads to {answer.url}, which is not secure", _HINT)
            yield answer
    except urllib.error.HTTPError as error:
        raise ToolError(f"{url}: {error.code} {error.reason}", _HINT) from error
    except urllib.error.URLError as error:
        raise ToolError(f"{url} cannot be reached: {_reason(error.reason)}", _HINT) from error
    except (OSError, http.client.HTTPException) as error:  # while it was coming
        raise ToolError(f"{url}: the download broke off: {_reason(error)}", _HINT) from error


def _reason(error: object) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _trust() -> ssl.SSLContext:
    # The system's roots, which know a company's own, and certifi's: Python on macOS may have none.
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Open a file and yield a function that writes to it; ToolError where that fails."""

    def failed(error: OSError) -> ToolError:
        return ToolError(
            f"cannot write {path}: {error.strerror}",
            "make room, or another folder in JOBS_SANDBOX_CACHE; or --firmware FILE",
        )

    def write(block: bytes) -> None:
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            raise failed(error) from error

    try:
        file = path.open("wb", buffering=0)
    except OSError as error:
        raise failed(error) from error
    with file:
        yield write
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise failed(error) from error
