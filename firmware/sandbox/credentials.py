"""The board's identity: DER files in /credentials, loaded into one TLS context that verifies the
server.
"""

import os

import tls

from .errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "/credentials"


def tls_context(folder: str = FOLDER) -> "Any":
    """Return a client context with key, certificate and every `root_ca_*.der`; there is no way to
    skip verification.

    `tls.SSLContext` is used since `ssl.SSLContext` defaults to CERT_NONE. Each root is a call of
    its own: of two certificates in one DER blob the second is ignored. Raises ConfigError naming
    the file.
    """
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    key, certificate = _read(folder, "private_key.der"), _read(folder, "certificate.der")
    try:
        context.load_cert_chain(certificate, key)
    except ValueError as error:
        raise ConfigError("%s: %s is not DER as it should be" % (folder, error))
    for name in _roots(folder):
        try:
            context.load_verify_locations(_read(folder, name))
        except ValueError as error:
            raise ConfigError("%s/%s: %s" % (folder, name, error))
    return context


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
