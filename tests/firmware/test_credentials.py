import os

import tls
from sandbox import credentials
from sandbox.credentials import tls_context
from sandbox.errors import ConfigError

from fakes import raises
from peer import PKI


def copied(*files):
    """Copy (name, content of) into a new folder and return it."""
    os.mkdir("credentials")
    for name, source in files:
        with open(PKI + "/board/" + source, "rb") as file, open("credentials/" + name, "wb") as to:
            to.write(file.read())
    return "credentials"


KEY = ("private_key.der", "private_key.der")
CERTIFICATE = ("certificate.der", "certificate.der")
ROOT = ("root_ca_1.der", "root_ca_1.der")


def refused(*files):
    return str(raises(ConfigError, tls_context, copied(*files)))


def test_the_context_verifies_the_server():
    context = tls_context(PKI + "/board")
    assert context.verify_mode == tls.CERT_REQUIRED


class FakeTls:
    """The module `tls`, noting how many files were loaded."""

    PROTOCOL_TLS_CLIENT, CERT_REQUIRED = tls.PROTOCOL_TLS_CLIENT, tls.CERT_REQUIRED

    def __init__(self):
        self.loaded = []

    def SSLContext(self, protocol):
        return self

    def load_cert_chain(self, certificate, key):
        self.loaded += [certificate, key]

    def load_verify_locations(self, root):
        self.loaded.append(root)


def test_every_root_is_loaded():
    credentials.tls = FakeTls()
    tls_context(copied(KEY, CERTIFICATE, ROOT, ("root_ca_3.der", "certificate.der")))
    assert len(credentials.tls.loaded) == 4, "key, certificate and two roots"


def test_a_missing_file_is_named():
    assert "credentials/private_key.der is missing" in refused(CERTIFICATE, ROOT)


def test_a_missing_certificate_is_named():
    assert "credentials/certificate.der is missing" in refused(KEY, ROOT)


def test_missing_roots_are_named():
    assert "has no root_ca_*.der" in refused(KEY, CERTIFICATE)


def test_key_and_certificate_that_are_swapped_are_refused():
    error = refused(("private_key.der", "certificate.der"), ("certificate.der", "private_key.der"))
    assert error.startswith("credentials: invalid"), error


def test_a_root_that_is_no_certificate_is_named():
    error = refused(KEY, CERTIFICATE, ("root_ca_1.der", "private_key.der"))
    assert error == "credentials/root_ca_1.der: invalid cert", error
