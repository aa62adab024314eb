"""Downloads by https: the server is verified, the MQTT connection makes room meanwhile."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from littlefs import LittleFS

from host_tools.board.files import FLASH_SIZE
from tests.board_fixture import eventually
from tests.device_fixture import BLOCK, Device

CONTENT = bytes(range(256)) * 40
Key = ec.EllipticCurvePrivateKey


def certificate(name: str, key: Key, issuer: str, issuer_key: Key, ca: bool) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


class Server:
    """An https server under a root of its own; `slow_s` between the two halves of an answer, and
    until `going_on`.
    """

    def __init__(self, folder: Path) -> None:
        root_key, key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        self.root = certificate("root", root_key, "root", root_key, ca=True)
        mine = certificate("localhost", key, "root", root_key, ca=False)
        pem = folder / "server.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + mine.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.asked: list[str] = []
        self.slow_s = 0.0
        self.going_on = threading.Event()
        self.going_on.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                self.send_response(302 if self.path == "/moved" else 200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.send_header("Location", "/f")
                self.end_headers()
                self.wfile.write(CONTENT[:5000])
                self.wfile.flush()
                time.sleep(server.slow_s)
                server.going_on.wait()
                self.wfile.write(CONTENT[5000:])

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.going_on.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.close()


def configure(device: Device, **members: Any) -> None:
    """Change /config.json while the board is off."""
    device.close()
    device.board.stop()
    flash = LittleFS(block_size=BLOCK, block_count=FLASH_SIZE // BLOCK, mount=False)
    flash.context.buffer = bytearray(device.board.files.flash.read_bytes())
    flash.mount()
    with flash.open("/config.json", "rb") as file:
        config = json.loads(file.read())
    with flash.open("/config.json", "wb") as file:
        file.write(json.dumps({**config, **members}).encode())
    device.board.files.flash.write_bytes(bytes(flash.context.buffer))
    device.board.start(bound=True)
    device.open()
    device.expect("link: ready")


def test_a_verified_server_and_nobody_else_is_downloaded_from(
    device: Device, server: Server
) -> None:
    document = {
        "operation": "download-file",
        "url": f"https://localhost:{server.port}/f",
        "path": "/files/f",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    status, details = device.run_job(document)
    assert (status, details["code"]) == ("FAILED", "DOWNLOAD_FAILED"), device.log()
    assert server.asked == [], "the board's own roots do not know it"
    root = server.root.public_bytes(serialization.Encoding.DER)
    configure(device, extra_root=base64.b64encode(root).decode())
    status, details = device.run_job(document)
    assert (status, details.get("bytes")) == ("SUCCEEDED", str(len(CONTENT))), device.log()
    assert "link: CLOSED_BY_PEER" in device.log() or "link: connected" in device.log()
    for url, code in (
        (f"https://127.0.0.2:{server.port}/f", "DOWNLOAD_FAILED"),
        (f"https://localhost:{server.port}/moved", "HTTP_ERROR"),
    ):
        status, details = device.run_job({**document, "url": url})
        assert (status, details["code"]) == ("FAILED", code), device.log()
    server.slow_s = 1.0
    assert device.run_job(document)[0] == "SUCCEEDED", device.log()


def test_one_that_is_cancelled_while_the_link_pauses_leaves_nothing(
    device: Device, server: Server
) -> None:
    root = server.root.public_bytes(serialization.Encoding.DER)
    configure(device, extra_root=base64.b64encode(root).decode())
    url = f"https://localhost:{server.port}/f"
    server.going_on.clear()
    job_id = device.create_job({"operation": "download-file", "url": url, "path": "/files/f"})
    eventually(lambda: server.asked)
    device.iot.cancel_job_execution(jobId=job_id, thingName=device.thing, force=True)
    server.going_on.set()
    device.expect(f"{job_id} dropped: ")
    assert device.execution(job_id)["status"] == "CANCELED"
    status, details = device.run_job({"operation": "delete-file", "path": "/files/f"})
    assert (status, details["code"]) == ("FAILED", "NO_FILE")
