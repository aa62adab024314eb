"""Keys, certificates and roots from the user's files: every usual form, and what can be wrong."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from host_tools.cloud.info import CloudInfo
from host_tools.cloud.roots import amazon_roots
from host_tools.errors import ToolError, UsageError
from host_tools.sandbox import credentials, place

DAY = datetime.timedelta(days=1)
SECRET = BestAvailableEncryption(b"secret")
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(key: Any, *, first: int = -1, last: int = 1, name: str = "device") -> Any:
    """A self-signed certificate, valid from `first` to `last` days from now."""
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + first * DAY).not_valid_after(now + last * DAY)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm)


class Files:
    """Writes files into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path

    def key(
        self,
        key: Any,
        form: PrivateFormat = PrivateFormat.PKCS8,
        encoding: Encoding = Encoding.PEM,
        encryption: KeySerializationEncryption | None = None,
    ) -> Path:
        content = key.private_bytes(encoding, form, encryption or NoEncryption())
        return self.put("the.key", content)

    def certificate(self, key: Any, encoding: Encoding = Encoding.PEM, **validity: Any) -> Path:
        return self.put("the.crt", certificate(key, **validity).public_bytes(encoding))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def refusal(action: Callable[[], object]) -> ToolError:
    with pytest.raises(ToolError) as caught:
        action()
    return caught.value


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY], ids=["rsa", "ec"])
def test_every_usual_form_of_a_key(
    files: Files, key: Any, form: PrivateFormat, encoding: Encoding
) -> None:
    made = credentials.read(files.certificate(key, encoding), files.key(key, form, encoding), [])
    assert sorted(made) == ["certificate.der", "private_key.der"]
    written = load_der_private_key(made["private_key.der"], None)
    assert written.public_key() == key.public_key()
    certified = x509.load_der_x509_certificate(made["certificate.der"])
    assert certified.public_key() == key.public_key()


def test_first_certificate_of_a_chain_is_the_device_s(files: Files) -> None:
    other = certificate(RSA_KEY, name="issuer").public_bytes(Encoding.PEM)
    chain = files.put("chain", certificate(EC_KEY).public_bytes(Encoding.PEM) + other)
    made = credentials.read(chain, files.key(EC_KEY), [])
    assert x509.load_der_x509_certificate(made["certificate.der"]).public_key() == (
        EC_KEY.public_key()
    )


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY], ids=["rsa", "ec"])
def test_encrypted_key(files: Files, key: Any, encoding: Encoding) -> None:
    path = files.key(key, PrivateFormat.PKCS8, encoding, SECRET)
    error = refusal(lambda: credentials.read_key(path))
    assert "is encrypted" in error.message
    assert "openssl pkey" in error.hint


def test_encrypted_key_of_the_old_kind(files: Files) -> None:
    path = files.key(RSA_KEY, PrivateFormat.TraditionalOpenSSL, Encoding.PEM, SECRET)
    assert "is encrypted" in refusal(lambda: credentials.read_key(path)).message


def test_key_of_another_certificate(files: Files) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    error = refusal(lambda: credentials.read(files.certificate(EC_KEY), files.key(other), []))
    assert "does not belong to the certificate" in error.message


@pytest.mark.parametrize(
    ("first", "last", "words"), [(-2, -1, "expired on 20"), (1, 2, "valid only from 20")]
)
def test_certificate_out_of_its_time(files: Files, first: int, last: int, words: str) -> None:
    path = files.certificate(EC_KEY, first=first, last=last)
    error = refusal(lambda: credentials.read(path, files.key(EC_KEY), []))
    assert words in error.message
    assert str(path) in error.message


def test_files_that_have_changed_places(files: Files) -> None:
    key, crt = files.key(EC_KEY), files.certificate(EC_KEY)
    error = refusal(lambda: credentials.read(key, crt, []))
    assert "holds a private key, not a certificate" in error.message
    assert "changed places" in error.hint
    assert "holds a certificate, not a private key" in (
        refusal(lambda: credentials.read_key(crt)).message
    )


def test_public_key(files: Files) -> None:
    public = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = files.put("public.key", public)
    assert "holds a public key" in refusal(lambda: credentials.read_key(path)).message


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1024),  # noqa: S505
    ],
    ids=["ed25519", "secp256k1", "rsa-1024"],
)
def test_key_that_aws_does_not_take(files: Files, key: Any) -> None:
    path = files.key(key)
    assert (
        "of a kind that AWS IoT does not take"
        in refusal(lambda: credentials.read_key(path)).message
    )


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_files_that_are_something_else(files: Files, content: bytes) -> None:
    path = files.put("x", content)
    assert "is no private key" in refusal(lambda: credentials.read_key(path)).message
    if b"PRIVATE" not in content:
        assert "is no certificate" in refusal(lambda: credentials.read_certificates(path)).message


def test_missing_file(tmp_path: Path) -> None:
    error = refusal(lambda: credentials.read_key(tmp_path / "none"))
    assert "none cannot be read: No such file" in error.message


def test_roots_of_a_file(files: Files) -> None:
    bundle = files.put("roots.pem", b"".join(pem for _, pem in amazon_roots()))
    roots = credentials.read_roots(bundle)
    made = credentials.read(files.certificate(EC_KEY), files.key(EC_KEY), roots)
    assert {"root_ca_1.der", "root_ca_2.der"} < set(made)
    assert x509.load_der_x509_certificate(made["root_ca_2.der"]) == roots[1]


def test_too_many_roots(files: Files) -> None:
    path = files.put("bundle", 5 * certificate(EC_KEY).public_bytes(Encoding.PEM))
    assert "holds 5 certificates" in refusal(lambda: credentials.read_roots(path)).message


def test_expired_root(files: Files) -> None:
    path = files.certificate(EC_KEY, first=-2, last=-1)
    assert "the root CN=device in" in refusal(lambda: credentials.read_roots(path)).message


def test_aws_endpoint_has_amazon_s_roots(sandbox_home: Path) -> None:
    found = place.find("abc-ats.iot.eu-west-1.amazonaws.com", None)
    assert (found.host, found.port) == ("abc-ats.iot.eu-west-1.amazonaws.com", 8883)
    assert [root.subject.rfc4514_string()[:19] for root in found.roots] == [
        "CN=Amazon Root CA 1",
        "CN=Amazon Root CA 3",
    ]


def test_own_root_replaces_amazon_s(files: Files, sandbox_home: Path) -> None:
    path = files.certificate(EC_KEY)
    assert len(place.find("broker:8884", path).roots) == 1
    assert place.find("broker:8884", path).port == 8884


def test_local_cloud_has_its_own_root_and_port(cloud: CloudInfo) -> None:
    root = credentials.read_roots(Path(cloud.ca))
    assert place.find("localhost", None) == place.Place("localhost", cloud.mqtt_port, root)
    assert place.find(f"localhost:{cloud.mqtt_port}", None).roots == root
    assert place.find("localhost:1", None).roots != root


@pytest.mark.parametrize(
    "text", ["", "https://host/", "mqtts://host", "host:0", "host:70000", "a b"]
)
def test_endpoints_that_are_none(text: str, sandbox_home: Path) -> None:
    with pytest.raises(UsageError, match="is not HOST or HOST:PORT"):
        place.find(text, None)
