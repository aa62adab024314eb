"""Makes the keys and certificates of the tests: EC P-256, DER, as on a board."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NOW = datetime.datetime.now(datetime.UTC)
_DAY = datetime.timedelta(days=1)
_Key = ec.EllipticCurvePrivateKey


def make(folder: Path) -> Path:
    """Fill `folder` and return it.

    board/, wrong_key/, wrong_ca/, stranger/ are a board's credentials; the others hold
    certificate.der and private_key.der of a server, and beside them is ca.der.
    """
    ca_key, other_key, board_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    ca = _certificate("Test CA", ca_key, "Test CA", ca_key, ca=True)
    other_ca = _certificate("Other CA", other_key, "Other CA", other_key, ca=True)
    board = _certificate("board", board_key, "Test CA", ca_key)
    stranger = _certificate("board", board_key, "Other CA", other_key)
    _write(folder / "ca.der", ca)
    _board(folder / "board", board_key, board, ca)
    _board(folder / "wrong_key", other_key, board, ca)
    _board(folder / "wrong_ca", board_key, board, other_ca)
    _board(folder / "stranger", board_key, stranger, ca)
    for name, host, start, end in (
        ("server", "localhost", _NOW - _DAY, _NOW + 90 * _DAY),
        ("wrong_name", "elsewhere.example", _NOW - _DAY, _NOW + _DAY),
        ("expired", "localhost", _NOW - 3 * _DAY, _NOW - _DAY),
        ("future", "localhost", _NOW + _DAY, _NOW + 3 * _DAY),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(host, key, "Test CA", ca_key, start=start, end=end)
        _board(folder / name, key, certificate, ca)
    return folder


def _certificate(
    name: str,
    key: _Key,
    issuer: str,
    issuer_key: _Key,
    *,
    ca: bool = False,
    start: datetime.datetime = _NOW - _DAY,
    end: datetime.datetime = _NOW + 90 * _DAY,
) -> bytes:
    builder = x509.CertificateBuilder(
        issuer_name=_name(issuer),
        subject_name=_name(name),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=start,
        not_valid_after=end,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False
    )
    signed = builder.sign(issuer_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def _board(folder: Path, key: _Key, certificate: bytes, ca: bytes) -> None:
    private = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / "private_key.der", private)
    _write(folder / "certificate.der", certificate)
    _write(folder / "root_ca_1.der", ca)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
