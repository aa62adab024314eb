"""The board's identity: DER files in /credentials, loaded into one TLS context that verifies the
server.
"""

import binascii
import os

import tls

from .errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "/credentials"

# DER in front of the public part of a private key, and the part's length: the point of a P-256 key
# (BIT STRING, RFC 5915), the modulus of an RSA key of 2048 bits (INTEGER, RFC 8017)
_PUBLIC_PARTS = ((b"\x03\x42\x00\x04", 64), (b"\x02\x82\x01\x01\x00", 256))


def tls_context(folder: str = FOLDER) -> "Any":
    """Return a client context with key, certificate and every `root_ca_*.der`; there is no way to
    skip verification. Raises ConfigError naming the file.
    """
    context = _new_context()
    key, certificate = _read(folder, "private_key.der"), _read(folder, "certificate.der")
    try:
        context.load_cert_chain(certificate, key)
    except ValueError as error:
        raise ConfigError("%s: %s is not DER as it should be" % (folder, error))
    public = _public_part(key)
    if public and public not in certificate:
        raise ConfigError("%s: the private key is not that of the certificate" % folder)
    _trust(context, folder)
    return context


def verifying_context(root: str, folder: str = FOLDER) -> "Any":
    """Return a client context without key and certificate, for servers that need not know who we
    are. It trusts the `root` given, DER in base64, or, when that is empty, every `root_ca_*.der`.
    Raises ConfigError.
    """
    context = _new_context()
    if not root:
        _trust(context, folder)
        return context
    try:
        context.load_verify_locations(binascii.a2b_base64(root))
    except ValueError as error:
        raise ConfigError("config.json: download_root: %s" % error)
    return context


def _new_context() -> "Any":
    # `ssl.SSLContext` defaults to CERT_NONE
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    return context


def _trust(context: "Any", folder: str) -> None:
    # Each root is a call of its own: of two certificates in one DER blob the second is ignored
    for name in _roots(folder):
        try:
            context.load_verify_locations(_read(folder, name))
        except ValueError as error:
            raise ConfigError("%s/%s: %s" % (folder, name, error))


def _public_part(key: bytes) -> bytes:
    # What the certificate must contain, too; b"" if the key does not show it. TLS itself does not
    # compare, and the server's refusal does not tell a wrong key from a wrong certificate.
    for marker, size in _PUBLIC_PARTS:
        at = key.find(marker)
        if at >= 0:
            return key[at + len(marker) : at + len(marker) + size]
    return b""


def _roots(folder: str) -> list[str]:
    try:
        roots = [name for name in os.listdir(folder) if name.startswith("root_ca_")]
    except OSError:
        roots = []
    if not roots:
        raise ConfigError("%s has no root_ca_*.der: provision and deploy" % folder)
    return roots


def _read(folder: str, name: str) -> bytes:
    try:
        with open(folder + "/" + name, "rb") as file:
            return file.read()
    except OSError:
        raise ConfigError("%s/%s is missing: provision and deploy" % (folder, name))
