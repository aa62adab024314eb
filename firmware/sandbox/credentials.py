"""The board's identity: DER files in /credentials, loaded into one TLS context that verifies the
server.
"""

import binascii
import os

import tls
from micropython import const

from .errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOLDER = "/credentials"

# DER in front of the public part of a private key, and the part's length: the point of a P-256 key
# (BIT STRING, RFC 5915), the modulus of an RSA key of 2048 bits (INTEGER, RFC 8017)
_PUBLIC_PARTS = const(((b"\x03\x42\x00\x04", 64), (b"\x02\x82\x01\x01\x00", 256)))


def tls_context(folder: str = _FOLDER, more: str = "") -> "Any":
    """Return a client context with key, certificate, every `root_ca_*.der` and a root `more`, DER
    in base64; there is no way to skip verification. Raises ConfigError naming the file.
    """
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED  # `ssl.SSLContext` defaults to CERT_NONE
    key, certificate = _read(folder, "private_key.der"), _read(folder, "certificate.der")
    try:
        context.load_cert_chain(certificate, key)
    except ValueError as error:
        raise ConfigError("%s: %s is not DER as it should be" % (folder, error))
    public = _public_part(key)
    if public and public not in certificate:
        raise ConfigError("%s: the private key is not that of the certificate" % folder)
    # Each root is a call of its own: of two certificates in one DER blob the second is ignored
    for name in _roots(folder):
        _trust(context, folder + "/" + name, _read(folder, name))
    if more:
        _trust(context, "config.json: extra_root", more)
    return context


def _trust(context: "Any", name: str, root: "bytes | str") -> None:
    try:
        der = binascii.a2b_base64(root) if isinstance(root, str) else root
        context.load_verify_locations(der)
    except ValueError as error:
        raise ConfigError("%s: %s" % (name, error))


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
