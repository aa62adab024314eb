"""An https server on this machine, under a root of its own."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CONTENT = bytes(range(256)) * 40
_Key = ec.EllipticCurvePrivateKey


def _certificate(
    name: str, key: _Key, issuer: str, issuer_key: _Key, *, ca: bool
) -> x509.Certificate:
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


class HttpsServer:
    """Serves CONTENT, and /moved elsewhere. `root` is its root, DER in base64, as a board's
    configuration takes it. `asked` are the paths; between the two halves of an answer are `slow_s`
    seconds, and it is waited for `going_on`.
    """

    def __init__(self) -> None:
        root_key, key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        root = _certificate("root", root_key, "root", root_key, ca=True)
        self.root = base64.b64encode(root.public_bytes(serialization.Encoding.DER)).decode()
        mine = _certificate("localhost", key, "root", root_key, ca=False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                + mine.public_bytes(serialization.Encoding.PEM)
            )
            pem.flush()
            context.load_cert_chain(pem.name)
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
