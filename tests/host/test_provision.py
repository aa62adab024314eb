"""Provisioning against the real local IoT Core: what is made, re-used, re-made, resumed."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools import identity as store
from host_tools import policy
from host_tools.__main__ import main
from host_tools.cloud import local
from host_tools.cloud.access import Cloud
from host_tools.errors import ToolError
from host_tools.identity import ThingIdentity
from host_tools.provision import identity, provision, provisioned


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBS_SANDBOX_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def cloud(home: Path) -> Iterator[Cloud]:
    running = local.start(bound=True)
    yield Cloud("local", running.endpoint_url, running.region, local_info=running)
    local.stop()


@pytest.fixture(scope="module")
def iot(cloud: Cloud) -> Any:
    return cloud.client("iot")


@pytest.fixture
def thing(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:100].replace("[", "-").rstrip("]").replace(".", "-")


def files(made: ThingIdentity) -> dict[str, tuple[bytes, int]]:
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in made.folder.iterdir()
    }


def certificates(iot: Any, thing: str) -> list[str]:
    return sorted(iot.list_thing_principals(thingName=thing)["principals"])


def all_certificates(iot: Any) -> set[str]:
    return {each["certificateId"] for each in iot.list_certificates(pageSize=250)["certificates"]}


def test_makes_thing_key_certificate_policy_and_attachments(
    cloud: Cloud, iot: Any, thing: str
) -> None:
    made = provision(cloud, thing)

    assert iot.describe_thing(thingName=thing)["thingArn"] == made.thing_arn
    described = iot.describe_certificate(certificateId=made.certificate_id)
    assert described["certificateDescription"]["status"] == "ACTIVE"
    assert certificates(iot, thing) == [made.certificate_arn]
    attached = iot.list_attached_policies(target=made.certificate_arn)["policies"]
    assert [each["policyName"] for each in attached] == [policy.NAME]
    assert made.policy == policy.NAME
    assert (made.endpoint, made.port) == ("localhost", cloud.mqtt().port)
    assert (made.account, made.region, made.cloud) == ("000000000000", "us-east-1", "local")
    assert identity(thing) == made
    assert thing in provisioned()


def test_files_are_private_and_pem_and_der_say_the_same(cloud: Cloud, thing: str) -> None:
    made = provision(cloud, thing)

    for path in made.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    key = serialization.load_pem_private_key((made.folder / "private_key.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    credentials = made.credentials()
    assert list(credentials) == ["private_key.der", "certificate.der", "root_ca_1.der"]
    der = serialization.load_der_private_key(credentials["private_key.der"], None)
    assert der.public_key() == key.public_key()
    certificate = x509.load_der_x509_certificate(credentials["certificate.der"])
    assert certificate.public_key() == key.public_key()
    assert store.certificate_id(certificate) == made.certificate_id
    root = x509.load_der_x509_certificate(credentials["root_ca_1.der"])
    assert x509.load_pem_x509_certificate((made.folder / "root_ca.pem").read_bytes()) == root
    certificate.verify_directly_issued_by(root)


def test_second_run_changes_nothing(cloud: Cloud, iot: Any, thing: str) -> None:
    made = provision(cloud, thing)
    before = files(made), all_certificates(iot)
    versions = iot.list_policy_versions(policyName=policy.NAME)["policyVersions"]

    assert provision(cloud, thing) == made
    after = files(made), all_certificates(iot)
    assert after == before
    assert iot.list_policy_versions(policyName=policy.NAME)["policyVersions"] == versions


def test_deactivated_certificate_is_remade_for_the_same_key(
    cloud: Cloud, iot: Any, thing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = provision(cloud, thing)
    iot.update_certificate(certificateId=first.certificate_id, newStatus="INACTIVE")

    second = provision(cloud, thing)
    assert second.certificate_id != first.certificate_id
    said = capsys.readouterr().err
    assert "certificate cannot be used: it is INACTIVE; a new one is made" in said
    assert f"has another certificate, {first.certificate_arn}" in said
    key = store.private_key(thing)
    found = store.certificate(thing)
    assert key is not None and found is not None
    assert found.public_key() == key.public_key()
    assert store.certificate_id(found) == second.certificate_id


def test_lost_key_gives_a_new_certificate(
    cloud: Cloud, thing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = provision(cloud, thing)
    (first.folder / "private_key.pem").unlink()
    second = provision(cloud, thing)
    assert second.certificate_id != first.certificate_id
    assert "private key is made" in capsys.readouterr().err.partition("key; both are kept")[0]
    provision(cloud, thing)  # and what it made is good
    assert identity(thing) == second


def test_certificate_of_another_key_is_not_used(
    cloud: Cloud, thing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = provision(cloud, thing)
    store.make_private_key(thing)
    assert provision(cloud, thing).certificate_id != first.certificate_id
    assert "it does not match the private key" in capsys.readouterr().err


def test_certificate_that_the_cloud_lost_is_remade(
    cloud: Cloud, iot: Any, thing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = provision(cloud, thing)
    iot.detach_thing_principal(thingName=thing, principal=first.certificate_arn)
    iot.detach_policy(policyName=policy.NAME, target=first.certificate_arn)
    iot.update_certificate(certificateId=first.certificate_id, newStatus="INACTIVE")
    iot.delete_certificate(certificateId=first.certificate_id)

    second = provision(cloud, thing)
    assert "this cloud does not know it" in capsys.readouterr().err
    assert certificates(iot, thing) == [second.certificate_arn]


def test_what_was_detached_is_attached_again(cloud: Cloud, iot: Any, thing: str) -> None:
    made = provision(cloud, thing)
    iot.detach_thing_principal(thingName=thing, principal=made.certificate_arn)
    iot.detach_policy(policyName=policy.NAME, target=made.certificate_arn)
    assert provision(cloud, thing) == made
    assert certificates(iot, thing) == [made.certificate_arn]
    assert iot.list_attached_policies(target=made.certificate_arn)["policies"]


def test_changed_policy_gets_a_new_version_and_never_more_than_five(
    cloud: Cloud, iot: Any, thing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    provision(cloud, thing)
    wanted = json.loads(iot.get_policy(policyName=policy.NAME)["policyDocument"])
    changed = {**wanted, "Statement": wanted["Statement"][:1]}
    for _ in range(5):
        iot.create_policy_version(
            policyName=policy.NAME, policyDocument=json.dumps(changed), setAsDefault=True
        ) if len(versions(iot)) < 5 else None
    assert len(versions(iot)) == 5
    oldest = min(int(each["versionId"]) for each in versions(iot))

    provision(cloud, thing)
    assert json.loads(iot.get_policy(policyName=policy.NAME)["policyDocument"]) == wanted
    assert len(versions(iot)) == 5
    said = capsys.readouterr().err
    assert f"the oldest, {oldest}, is deleted" in said
    assert "has another text; a new version is made" in said


def versions(iot: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = iot.list_policy_versions(policyName=policy.NAME)[
        "policyVersions"
    ]
    return found


def user(cloud: Cloud, name: str, actions: list[str]) -> dict[str, str]:
    """Make an IAM user who may do `actions` only, and return the credentials as environment."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


_FIRST = ["iot:DescribeThing", "iot:CreateThing", "iot:GetPolicy", "iot:CreatePolicy"]


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        (_FIRST, "CreateCertificateFromCsr"),
        (
            [
                *_FIRST,
                "iot:CreateCertificateFromCsr",
                "iot:DescribeCertificate",
                "iot:ListAttachedPolicies",
            ],
            "AttachPolicy",
        ),
        (
            [
                *_FIRST,
                "iot:CreateCertificateFromCsr",
                "iot:DescribeCertificate",
                "iot:AttachPolicy",
                "iot:ListAttachedPolicies",
                "iot:ListThingPrincipals",
            ],
            "AttachThingPrincipal",
        ),
    ],
)
def test_run_that_was_refused_half_way_is_finished_by_the_next(
    allowed: list[str],
    refused: str,
    cloud: Cloud,
    iot: Any,
    thing: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provision(cloud, thing + "-policy")  # so that the policy is as wanted
    for name, value in user(cloud, f"user-{refused}", allowed).items():
        monkeypatch.setenv(name, value)
    stranger = Cloud("local", cloud.endpoint_url, cloud.region)  # uses the environment's
    with pytest.raises(ToolError, match=f"{refused}: AccessDenied") as caught:
        provision(stranger, thing)
    assert "permission" in caught.value.hint
    assert thing not in provisioned()
    with pytest.raises(ToolError, match="has no identity on this computer"):
        identity(thing)
    key, kept = store.private_key(thing), store.certificate(thing)
    assert key is not None
    assert (kept is None) == (refused == "CreateCertificateFromCsr")
    before = all_certificates(iot)

    made = provision(cloud, thing)
    finished = store.private_key(thing)
    assert finished is not None and finished.private_numbers() == key.private_numbers()
    new = all_certificates(iot) - before
    assert new == ({made.certificate_id} if kept is None else set())
    assert certificates(iot, thing) == [made.certificate_arn]


def test_says_each_step_with_its_command_and_no_secret(
    cloud: Cloud, thing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["provision", thing, "--json"]) == 0
    printed = capsys.readouterr()
    made = json.loads(printed.out)
    assert made["thing"] == thing
    assert made["folder"] == str(identity(thing).folder)
    for command in (
        f"iot create-thing --thing-name {thing}",
        "iot create-certificate-from-csr --certificate-signing-request file://",
        f"iot attach-policy --policy-name {policy.NAME} --target {made['certificate_arn']}",
        f"iot attach-thing-principal --thing-name {thing} --principal {made['certificate_arn']}",
    ):
        assert f"  $ jobs-sandbox aws {command}" in printed.err
    key = (identity(thing).folder / "private_key.pem").read_text().splitlines()[1]
    assert key not in printed.err + printed.out


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "ä", "x" * 129])
def test_impossible_thing_name_is_wrong_usage(
    name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(home.glob("things/**/*"))
    assert main(["provision", name]) == 2
    assert "cannot be a thing's name" in capsys.readouterr().err
    assert set(home.glob("things/**/*")) == before


def test_damaged_files_are_named(cloud: Cloud, thing: str) -> None:
    made = provision(cloud, thing)
    (made.folder / "private_key.pem").write_text("no key")
    with pytest.raises(ToolError, match=r"private_key\.pem is damaged") as caught:
        provision(cloud, thing)
    assert "rm '" in caught.value.hint
    (made.folder / "thing.json").write_text("{}")
    with pytest.raises(ToolError, match=r"thing\.json is damaged"):
        identity(thing)


def test_missing_credential_file_is_named(cloud: Cloud, thing: str) -> None:
    made = provision(cloud, thing)
    (made.folder / "certificate.der").unlink()
    with pytest.raises(ToolError, match=r"incomplete: .*certificate\.der"):
        made.credentials()
    provision(cloud, thing)
    made.credentials()
