"""What a board says when it is refused, each provoked for real: the cause is named, and a
remedy.
"""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from host_tools.board import faults
from host_tools.provision import provision
from tests.device_fixture import Device, put


@pytest.fixture
def refused(make_device: Callable[..., Device]) -> Callable[..., Device]:
    """Deploys with a changed identity and returns the device, which cannot connect."""

    def make(files: dict[str, bytes] | None = None, **changes: Any) -> Device:
        device = make_device(deployed=False)
        credentials = {**device.made.credentials(), **(files or {})}
        put(device, credentials=credentials, **changes)
        device.open()
        return device

    return make


def says(device: Device, code: str, *words: str) -> None:
    line = device.expect(f"W .* link: {code}: ")
    assert all(word in line for word in words), line
    assert device.expect("link: try: ")
    assert f"last trouble: {code}" in "\n".join(device.command("status").lines)


def test_a_client_id_that_the_policy_forbids(refused: Callable[..., Device]) -> None:
    device = refused(client_id="somebody-else")
    says(device, "MQTT_CLOSED_AT_CONNECT", "policy", "client id")


def test_a_foreign_thing(refused: Callable[..., Device], local_cloud: Any) -> None:
    device = refused(thing="thing-of-another")
    says(device, "SUBSCRIBE_CLOSED", "the policy forbids")


def test_a_deactivated_certificate(make_device: Callable[..., Device]) -> None:
    device = make_device()
    device.skip()
    certificate = device.made.certificate_id
    device.iot.update_certificate(certificateId=certificate, newStatus="INACTIVE")
    device.expect("W .* link: (CLOSED_BY_PEER|PUBLISH_CLOSED)")
    says(device, "MQTT_CLOSED_AT_CONNECT", "certificate")
    device.iot.update_certificate(certificateId=certificate, newStatus="ACTIVE")
    device.expect("link: ready")


def test_a_server_signed_by_another_root(refused: Callable[..., Device]) -> None:
    device = refused(files={"root_ca_1.der": _Authority("other").root()})
    says(device, "TLS_WRONG_CA", "not signed by a root")


def test_a_key_of_another_certificate(
    make_device: Callable[..., Device], local_cloud: Any
) -> None:
    device = make_device(deployed=False)
    other = provision(local_cloud, "thing-other-key").credentials()
    mixed = {**device.made.credentials(), "private_key.der": other["private_key.der"]}
    put(device, credentials=mixed)
    with device.board.line() as line:
        line.read_until(b"the private key is not that of the certificate")


def test_a_server_with_another_name(server: Callable[..., int], trusting: Any) -> None:
    device = trusting(server(name="somewhere.example"))
    says(device, "TLS_WRONG_NAME", "another host name")


def test_an_expired_server_certificate(server: Callable[..., int], trusting: Any) -> None:
    device = trusting(server(name="localhost", days=-2))
    says(device, "TLS_EXPIRED", "has expired")


def test_nothing_listens(refused: Callable[..., Device]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        device = refused(port=free.getsockname()[1])
        says(device, "TCP_REFUSED", "nothing listens")


def test_a_name_that_does_not_resolve(refused: Callable[..., Device]) -> None:
    device = refused(endpoint="no-such-host.invalid")
    says(device, "DNS_FAILED", "name was not found")


def test_a_clock_in_the_year_2000(device: Device) -> None:
    faults.press(device.board.files, "ntp", "unreachable")
    device.board.power_cut()
    device.skip()
    says(device, "CLOCK_NOT_SET", "2000-01-01")
    faults.release(device.board.files)
    device.expect("link: ready")


def test_no_access_point(device: Device) -> None:
    faults.press(device.board.files, "wifi", "no-ap")
    device.board.power_cut()
    device.skip()
    says(device, "WIFI_NO_AP", "not in reach")
    faults.release(device.board.files)
    device.expect("link: ready")


def test_a_wrong_wifi_password(device: Device) -> None:
    faults.press(device.board.files, "wifi", "wrong-password")
    device.board.power_cut()
    device.skip()
    says(device, "WIFI_PASSWORD", "refused the password")


class _Authority:
    """A root of our own, and server certificates signed by it."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._root = self._sign(self._key.public_key(), self._name, 3650, authority=True)

    def root(self) -> bytes:
        """The root certificate in DER."""
        return self._root.public_bytes(serialization.Encoding.DER)

    def server(self, folder: Path, name: str, days: int) -> ssl.SSLContext:
        """A server's context; its certificate is good until `days` from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._sign(key.public_key(), subject, days, authority=False)
        pem = folder / "server.pem"
        pem.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    def _sign(
        self, key: ec.EllipticCurvePublicKey, subject: x509.Name, days: int, *, authority: bool
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=30))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority() -> _Authority:
    return _Authority("test root")


@pytest.fixture
def server(authority: _Authority, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Starts a TLS server that is only good for a handshake; returns its port."""
    opened: list[socket.socket] = []

    def serve(listening: socket.socket, context: ssl.SSLContext) -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                context.wrap_socket(plain, server_side=True).close()
            except OSError:
                plain.close()

    def start(name: str, days: int = 30) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        opened.append(listening)
        context = authority.server(tmp_path, name, days)
        threading.Thread(target=serve, args=(listening, context), daemon=True).start()
        port: int = listening.getsockname()[1]
        return port

    yield start
    for each in opened:
        each.shutdown(socket.SHUT_RDWR)
        each.close()


@pytest.fixture
def trusting(refused: Callable[..., Device], authority: _Authority) -> Callable[[int], Device]:
    """Deploys a device that trusts our root and connects to a port of this machine."""

    return lambda port: refused(files={"root_ca_1.der": authority.root()}, port=port)
