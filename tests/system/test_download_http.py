"""Downloads from servers that answer as they should, and as they should not."""

from __future__ import annotations

import hashlib
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.device_fixture import Device

BODY = bytes(range(256)) * 5
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
LONG = b"Content-Security-Policy: " + b"content-length: 1; " * 200 + b"\r\n"


class Server(socketserver.ThreadingTCPServer):
    """Says `answer`, in `pieces` of so many bytes, to whoever asks, and closes."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answer = b""
        self.pieces = 1 << 20

        class Handler(socketserver.StreamRequestHandler):
            server: Server

            def handle(self) -> None:
                while self.rfile.readline().strip():
                    pass
                answer, size = self.server.answer, self.server.pieces
                for i in range(0, len(answer), size):
                    self.wfile.write(answer[i : i + size])
                    self.wfile.flush()

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running
        running.shutdown()


def test_what_servers_say_is_taken_for_what_it_is(device: Device, server: Server) -> None:
    def run(answer: bytes, pieces: int = 1 << 20) -> tuple[str, dict[str, str]]:
        server.answer, server.pieces = answer, pieces
        url = f"http://localhost:{server.server_address[1]}/f"
        return device.run_job({"operation": "download-file", "url": url, "path": "/files/f"})

    for answer in (
        OK + LENGTH + b"\r\n" + BODY,
        OK + b"\r\n" + BODY,
        OK + LONG + LENGTH.lower() + LONG + b"\r\n" + BODY,
        OK + LENGTH + b"\r\n" + BODY + b"and what nobody has told of",
    ):
        status, details = run(answer)
        assert (status, details["bytes"]) == ("SUCCEEDED", str(len(BODY))), answer[:99]
        assert details["sha256"] == hashlib.sha256(BODY).hexdigest(), answer[:99]
    status, details = run(OK + LONG + LENGTH + b"\r\n" + BODY, 7)
    assert (status, details["bytes"]) == ("SUCCEEDED", str(len(BODY)))
    status, details = run(OK + b"Content-Length: 0\r\n\r\n")
    assert (status, details["bytes"]) == ("SUCCEEDED", "0")
    for answer, code in (
        (b"", "HTTP_ERROR"),
        (b"no HTTP at all\r\n\r\n", "HTTP_ERROR"),
        (b"\xff\xfe" * 3000, "HTTP_ERROR"),
        (OK + LENGTH, "HTTP_ERROR"),
        (OK + LENGTH.replace(b"\r", b"") + b"\n" + BODY, "HTTP_ERROR"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP_ERROR"),
        (OK + b"Content-Length: many\r\n\r\n", "DOWNLOAD_FAILED"),
        (OK + LENGTH + b"\r\n" + BODY[:-1], "DOWNLOAD_FAILED"),
        (OK + b"Content-Length: 999999\r\n\r\n" + BODY, "FILE_TOO_LARGE"),
    ):
        status, details = run(answer)
        assert (status, details["code"]) == ("FAILED", code), (answer[:60], details)
