"""Who gets a TLS connection to the local IoT Core: as on AWS, and on loopback only."""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools.cloud.refusals import recent_refusals
from tests.mqtt_wire import CONNACK, Device, Wire, connect


def test_a_provisioned_device_connects_over_tls_1_2_and_1_3(trusted: Device) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tls = trusted.tls()
        tls.minimum_version = tls.maximum_version = version
        with _handshake(trusted, tls, "localhost") as wire:
            wire.send(connect(trusted.name))
            assert wire.packet() == (CONNACK, 0, b"\0\0")


def test_a_client_without_certificate_is_refused(trusted: Device) -> None:
    assert _is_refused(trusted, trusted.tls(with_certificate=False), "localhost")
    assert _told("the client sent no certificate")


def test_a_certificate_of_another_ca_is_refused(trusted: Device, tmp_path: Path) -> None:
    tls = trusted.tls(with_certificate=False)
    tls.load_cert_chain(*_self_signed(tmp_path, days=1))
    assert _is_refused(trusted, tls, "localhost")
    assert _told("the client's certificate is not acceptable")


def test_a_client_hello_without_server_name_is_refused(trusted: Device) -> None:
    tls = trusted.tls()
    tls.check_hostname = False
    assert _is_refused(trusted, tls, None)
    assert _told("no server name")


def test_a_foreign_server_name_is_refused(trusted: Device) -> None:
    tls = trusted.tls()
    tls.check_hostname = False
    assert _is_refused(trusted, tls, "a1b2c3-ats.iot.eu-west-1.amazonaws.com")
    assert _told("the server name 'a1b2c3-ats.iot.eu-west-1.amazonaws.com' is not this endpoint")


def test_a_client_that_does_not_know_the_ca_is_named_as_the_cause(trusted: Device) -> None:
    tls = ssl.create_default_context()
    tls.load_cert_chain(str(trusted.certificate), str(trusted.key))
    tls.maximum_version = ssl.TLSVersion.TLSv1_2  # its alert comes within the handshake
    assert _is_refused(trusted, tls, "localhost")
    assert _told("the client does not trust this server's CA")


def test_nothing_listens_beyond_loopback(trusted: Device, strict_http_port: int) -> None:
    outward = _address_of_this_machine()
    for port in (trusted.port, strict_http_port):
        with pytest.raises(OSError):
            socket.create_connection((outward, port), timeout=30).close()


@pytest.mark.parametrize("door", ["reset", "config"])
def test_ministacks_own_doors_are_closed(strict_http_port: int, door: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", strict_http_port, timeout=30)
    connection.request("POST", f"/_ministack/{door}", body=b"{}")
    assert connection.getresponse().status == 403


def test_mqtt_over_web_socket_without_signature_is_refused(strict_http_port: int) -> None:
    upgrade = (
        "GET /mqtt HTTP/1.1\r\nHost: a1b2c3-ats.iot.us-east-1.localhost\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    packet = connect("anybody")
    frame = bytes([0x82, 0x80 | len(packet), 0, 0, 0, 0]) + packet  # binary, masked with zeros
    with socket.create_connection(("127.0.0.1", strict_http_port), timeout=30) as web:
        web.sendall(upgrade.encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += web.recv(1)
        web.sendall(frame)
        assert web.recv(1) in (b"\x88", b"")  # a close frame, no CONNACK
    assert _told("neither certificate nor signature")


def _handshake(trusted: Device, tls: ssl.SSLContext, name: str | None) -> Wire:
    plain = socket.create_connection(("127.0.0.1", trusted.port), timeout=30)
    return Wire(tls.wrap_socket(plain, server_hostname=name))


def _is_refused(trusted: Device, tls: ssl.SSLContext, name: str | None) -> bool:
    # In TLS 1.3 the client learns of the refusal when it reads.
    try:
        with _handshake(trusted, tls, name) as wire:
            wire.send(connect(trusted.name))
            return wire.closed()
    except (ssl.SSLError, ConnectionError):
        return True


def _told(reason: str) -> bool:
    # The client may see the alert before the server has written why.
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(reason in refusal.reason for refusal in recent_refusals()):
            return True
        time.sleep(0.01)
    return False


def _self_signed(folder: Path, days: int) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    encoding, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "cert").write_bytes(made.public_bytes(encoding))
    (folder / "key").write_bytes(key.private_bytes(encoding, pkcs8, serialization.NoEncryption()))
    return str(folder / "cert"), str(folder / "key")


def _address_of_this_machine() -> str:
    # No packet is sent: connecting a UDP socket only asks for the route.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"  # no network: another loopback address tells as well
        address = str(probe.getsockname()[0])
    return "127.0.0.2" if address.startswith("127.") else address
