"""A key, a certificate and roots from PEM or DER files, checked, as the board's DER files.

What is wrong with them is told here, on the host: a TLS server only closes the connection.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from host_tools.errors import ToolError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_PEM = b"-----BEGIN "
_CURVES = ("secp256r1", "secp384r1", "secp521r1")  # AWS IoT developer guide, "X.509 certificates"
_LEAST_RSA_BITS = 2048
_MOST_ROOTS = 4  # a board has little memory; an endpoint needs one or two
_SWAPPED = "have --cert and --key changed places?"


def read(
    certificate_file: Path, key_file: Path, roots: Sequence[x509.Certificate]
) -> dict[str, bytes]:
    """Return the files for the board's /credentials, name → DER.

    Raises ToolError if a file cannot be used, if the key does not belong to the certificate, or if
    the certificate is not valid now.
    """
    certificate = read_certificates(certificate_file, _SWAPPED)[0]
    key = read_key(key_file)
    if key.public_key() != certificate.public_key():
        raise ToolError(
            f"the key {key_file} does not belong to the certificate {certificate_file}",
            "the two files that were downloaded or made together",
        )
    _check_validity(certificate, f"the certificate {certificate_file}")
    return {
        "private_key.der": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "certificate.der": certificate.public_bytes(Encoding.DER),
        **{
            f"root_ca_{number}.der": root.public_bytes(Encoding.DER)
            for number, root in enumerate(roots, 1)
        },
    }


def read_certificates(file: Path, hint: str = "") -> list[x509.Certificate]:
    """Return the certificates in a PEM or DER file, at least one. Raises ToolError."""
    content = _content(file)
    if b"PRIVATE KEY-----" in content:
        raise ToolError(f"{file} holds a private key, not a certificate", hint)
    try:
        if _PEM in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError as error:
        raise ToolError(
            f"{file} is no certificate in PEM or DER form",
            "the file that AWS IoT calls …-certificate.pem.crt",
        ) from error


def read_roots(file: Path) -> list[x509.Certificate]:
    """Return the roots in a PEM or DER file. Raises ToolError, for too many as well."""
    roots = read_certificates(file, "the root certificate of the endpoint")
    if len(roots) > _MOST_ROOTS:
        raise ToolError(
            f"{file} holds {len(roots)} certificates, too many for a board",
            "a file with the root that the endpoint's certificate is signed by",
        )
    for root in roots:
        _check_validity(root, f"the root {root.subject.rfc4514_string()} in {file}")
    return roots


def read_key(file: Path) -> PrivateKey:
    """Return the private key in a PEM or DER file: PKCS #1, SEC 1 or PKCS #8. Raises ToolError."""
    content = _content(file)
    if b"-----BEGIN CERTIFICATE-----" in content:
        raise ToolError(f"{file} holds a certificate, not a private key", _SWAPPED)
    if b"PUBLIC KEY-----" in content:
        raise ToolError(f"{file} holds a public key", "the file …-private.pem.key")
    load = load_pem_private_key if _PEM in content else load_der_private_key
    try:
        return _usable(load(content, password=None), file)
    except TypeError as error:
        raise ToolError(
            f"the private key {file} is encrypted; a board cannot ask for its password",
            f"openssl pkey -in {file} -out plain.key, and chmod 600 plain.key",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ToolError(
            f"{file} is no private key in PEM or DER form", "the file …-private.pem.key"
        ) from error


def _usable(key: object, file: Path) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _LEAST_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    raise ToolError(
        f"the private key {file} is of a kind that AWS IoT does not take",
        f"RSA with at least {_LEAST_RSA_BITS} bits, or EC on P-256, P-384 or P-521",
    )


def _check_validity(certificate: x509.Certificate, what: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    if certificate.not_valid_after_utc <= now:
        raise ToolError(
            f"{what} expired on {certificate.not_valid_after_utc:%Y-%m-%d}", "a new one"
        )
    if certificate.not_valid_before_utc > now:
        raise ToolError(
            f"{what} is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on",
            "the clock of this computer",
        )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ToolError(f"{file} cannot be read: {error.strerror}", "ls -l of it") from error
