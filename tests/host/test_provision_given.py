"""Certificates that exist already: registered, activated, attached, and left when we leave."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from host_tools.__main__ import main
from host_tools.cloud.access import Cloud
from host_tools.provision import Given, identity, provision

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@pytest.fixture(scope="module")
def cloud(private_cloud: Cloud) -> Cloud:
    return private_cloud


@pytest.fixture(scope="module")
def iot(cloud: Cloud) -> Any:
    return cloud.client("iot")


def _signed(key: Key, days: int = 10) -> x509.Certificate:
    """A certificate of a maker of boards, unknown to AWS."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made in the works")])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=20))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )


def _files(folder: Path, key: Key, certificate: x509.Certificate, encoding: Encoding) -> Given:
    given = Given(folder / "their.crt", folder / "their.key")
    given.certificate.write_bytes(certificate.public_bytes(encoding))
    given.key.write_bytes(
        key.private_bytes(encoding, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    return given


@pytest.fixture
def given(tmp_path: Path) -> Given:
    key = ec.generate_private_key(ec.SECP256R1())
    return _files(tmp_path, key, _signed(key), Encoding.PEM)


def _arguments(given: Given) -> list[str]:
    return ["--cert", str(given.certificate), "--key", str(given.key)]


@pytest.mark.parametrize(("kind", "form"), [("ec", "PEM"), ("ec", "DER"), ("rsa", "DER")])
def test_an_unknown_one_is_registered_active_and_attached(
    kind: str, form: str, cloud: Cloud, iot: Any, tmp_path: Path
) -> None:
    key: Key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ec"
        else rsa.generate_private_key(65537, 2048)
    )
    certificate = _signed(key)
    thing = f"works-{kind}-{form}"
    encoding = {"PEM": Encoding.PEM, "DER": Encoding.DER}[form]
    made = provision(cloud, thing, _files(tmp_path, key, certificate, encoding))

    described = iot.describe_certificate(certificateId=made.certificate_id)
    assert described["certificateDescription"]["status"] == "ACTIVE"
    assert iot.list_thing_principals(thingName=thing)["principals"] == [made.certificate_arn]
    credentials = made.credentials()
    assert x509.load_der_x509_certificate(credentials["certificate.der"]) == certificate
    kept = load_der_private_key(credentials["private_key.der"], None)
    assert kept.public_key() == key.public_key()

    assert provision(cloud, thing) == made  # and it stays without being named again
    assert main(["provision", "--teardown", thing, "--yes"]) == 0
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_certificate(certificateId=made.certificate_id)


def test_one_that_the_cloud_knows_is_used_and_left_as_it_was(
    cloud: Cloud, iot: Any, tmp_path: Path
) -> None:
    answer = iot.create_keys_and_certificate(setAsActive=False)
    given = Given(tmp_path / "c.pem", tmp_path / "k.pem")
    given.certificate.write_text(answer["certificatePem"])
    given.key.write_text(answer["keyPair"]["PrivateKey"])

    assert main(["provision", "known", *_arguments(given)]) == 0
    made = identity("known")
    assert made.certificate_arn == answer["certificateArn"]
    described = iot.describe_certificate(certificateId=made.certificate_id)
    assert described["certificateDescription"]["status"] == "ACTIVE"

    assert main(["provision", "--teardown", "known", "--yes"]) == 0
    described = iot.describe_certificate(certificateId=made.certificate_id)
    assert described["certificateDescription"]["status"] == "INACTIVE"  # as before
    assert not iot.list_attached_policies(target=made.certificate_arn)["policies"]


def test_a_revoked_one_is_refused(
    given: Given, cloud: Cloud, iot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made = provision(cloud, "revoked", given)
    iot.update_certificate(certificateId=made.certificate_id, newStatus="REVOKED")
    assert main(["provision", "revoked", *_arguments(given)]) == 1
    assert "is REVOKED" in capsys.readouterr().err


def test_a_dry_run_registers_nothing_and_copies_no_key(
    given: Given, cloud: Cloud, iot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = iot.list_certificates(pageSize=250)["certificates"]
    assert main(["provision", "rehearsed", "--dry-run", *_arguments(given)]) == 0
    assert "register-certificate-without-ca" in capsys.readouterr().out
    assert iot.list_certificates(pageSize=250)["certificates"] == before
    assert not list(given.key.parent.parent.rglob("rehearsed"))


def test_the_key_is_never_printed(
    given: Given, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["provision", "secret", "--json", *_arguments(given)]) == 0
    printed = capsys.readouterr()
    for line in given.key.read_text().splitlines():
        assert line not in printed.out + printed.err


def test_files_that_do_not_fit_are_refused_before_anything_is_registered(
    given: Given, cloud: Cloud, iot: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = iot.list_certificates(pageSize=250)["certificates"]
    other = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "other").mkdir()
    stranger = _files(tmp_path / "other", other, _signed(other, days=-1), Encoding.PEM)
    for certificate, key, cause in (
        (given.certificate, stranger.key, "does not belong to"),
        (given.key, given.certificate, "holds a private key"),
        (stranger.certificate, stranger.key, "expired"),
        (tmp_path / "none", given.key, "cannot be read"),
    ):
        arguments = _arguments(Given(certificate, key))
        assert main(["provision", "unfit", *arguments]) == 1
        assert cause in capsys.readouterr().err
    assert iot.list_certificates(pageSize=250)["certificates"] == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["thing", "--cert", "x"],
        ["thing", "--key", "x"],
        ["t-{}", "--count", "2", "--cert", "x", "--key", "y"],
        ["--teardown", "thing", "--cert", "x", "--key", "y"],
        ["--teardown", "--list"],
        ["--list", "thing"],
        ["--teardown", "--yes"],
        ["thing", "--manifest", "m.json"],
        [],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    try:
        status = main(["provision", *arguments])
    except SystemExit as refused:  # by argparse
        status = int(str(refused.code))
    assert status == 2
