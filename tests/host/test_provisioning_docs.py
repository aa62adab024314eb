"""docs/provisioning.md: every command in it runs, and each policy is enough and not too much."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools import paths, policy
from host_tools.__main__ import main
from host_tools.cloud.access import Cloud
from tests.host.provision_bench import user_with
from tests.host.test_provision_given import _files, _signed

_TEXT = (paths.ROOT / "docs" / "provisioning.md").read_text()
_COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", _TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
_NAMED = re.compile(
    r"`([\w-]+)\.json`(?:(?!\.json`).)*?^```json\n(.*?)^```", re.MULTILINE | re.DOTALL
)
_POLICIES: dict[str, Any] = {
    name: json.loads(text.replace("REGION", "us-east-1").replace("ACCOUNT", "000000000000"))
    for name, text in _NAMED.findall(_TEXT)
}
_ON_ANYTHING = {"iot:AttachPolicy", "iot:DetachPolicy", "iot:ListTargetsForPolicy"}  # in MiniStack
_NOT_ASKED_FOR = {"iot:TagResource"}  # in MiniStack


@pytest.fixture(scope="module")
def cloud(private_cloud: Cloud) -> Cloud:
    return private_cloud


@pytest.fixture
def aws(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's computer, with a profile `lab`, whose AWS is the local IoT Core."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text("[profile lab]\nregion = us-east-1\n")
    (tmp_path / "credentials").write_text(
        "[lab]\naws_access_key_id = test\naws_secret_access_key = test\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", str(cloud.endpoint_url))
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    return tmp_path


def _become(aws: Path, cloud: Cloud, name: str, *policies: str) -> None:
    # the profile lab is now a user with these policies
    statements = [each for policy in policies for each in _POLICIES[policy]["Statement"]]
    document = {"Version": "2012-10-17", "Statement": _for_ministack(statements)}
    made = user_with(cloud, name, document)
    (aws / "credentials").write_text(
        "[lab]\n" + "".join(f"{key.lower()} = {value}\n" for key, value in made.items())
    )


def _for_ministack(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    widened = []
    for each in statements:
        actions = _actions([each])
        widened.append({**each, "Action": sorted(actions - _ON_ANYTHING)})
        if wide := actions & _ON_ANYTHING:
            widened.append({"Effect": "Allow", "Action": sorted(wide), "Resource": "*"})
    return [each for each in widened if each["Action"]]


def _actions(statements: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for each in statements:
        found |= {each["Action"]} if isinstance(each["Action"], str) else set(each["Action"])
    return found


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every action that a user, not the administrator, asks for; by IAM's name."""
    seen: set[str] = set()
    real = BaseClient._make_api_call

    def call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if self._request_signer._credentials.access_key != "test":
            seen.add(f"{self.meta.service_model.service_name}:{operation}")
        return real(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return seen


_LAB = ["--cloud", "aws", "--profile", "lab"]


def test_the_page_has_what_the_tests_here_are_about() -> None:
    assert len(_COMMANDS) == 11
    assert set(_POLICIES) == {
        "provisioning", "existing-certificates", "teardown", "jobs", "watch",
    }  # fmt: skip
    for action in _ON_ANYTHING | _NOT_ASKED_FOR:
        assert f"`{action}`" in _TEXT.partition("## What has been tried")[2]


def test_every_command_on_the_page_runs(
    aws: Path,
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    given = _files(aws, key, _signed(key), Encoding.PEM)
    given.certificate.rename(aws / "device.pem.crt")
    given.key.rename(aws / "device.pem.key")
    (aws / "provisioning.json").write_text(json.dumps(_POLICIES["provisioning"]))
    cloud.client("iam").create_user(UserName="me")
    monkeypatch.chdir(aws)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # no terminal, whoever runs the tests

    for line in _COMMANDS:
        program, *arguments = shlex.split(line)
        if program == "jobs-sandbox":
            assert main(arguments) == 0, line
        else:
            subprocess.run([Path(sys.executable).parent / program, *arguments], check=True)
    assert json.loads((aws / "sensors.json").read_text())["missing"] == []
    assert cloud.client("iot").list_things()["things"] == []
    assert cloud.client("iot").list_policies()["policies"] == []
    assert cloud.client("iam").list_user_policies(UserName="me")["PolicyNames"]
    printed = capfd.readouterr()
    assert "PRIVATE KEY" not in printed.out + printed.err


def test_the_make_variables_become_options() -> None:
    command = re.search(r"`(make provision [^`]+)`", _TEXT)
    assert command
    done = subprocess.run(
        [*command[1].split(), "-n"], cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    wanted = "jobs-sandbox provision my-thing --cloud 'aws' --profile 'lab'"
    assert wanted in " ".join(done.stdout.split())


def test_provisioning_needs_just_what_its_policies_allow(
    aws: Path, cloud: Cloud, called: set[str], tmp_path: Path
) -> None:
    _become(aws, cloud, "maker", "provisioning", "existing-certificates")
    assert main(["provision", "made", *_LAB]) == 0
    assert main(["provision", "made", *_LAB]) == 0
    _fill_versions(cloud)
    made = paths.thing_folder("made")
    (made / "certificate.pem").rename(made / "request.pem")  # as if its answer had been lost
    assert main(["provision", "made", *_LAB]) == 0

    key = ec.generate_private_key(ec.SECP256R1())
    given = _files(tmp_path, key, _signed(key), Encoding.PEM)
    pair = ["--cert", str(given.certificate), "--key", str(given.key)]
    assert main(["provision", "given", *_LAB, *pair]) == 0
    _deactivate(cloud, "given")
    assert main(["provision", "given", *_LAB, *pair]) == 0
    assert main(["provision", "--list", *_LAB]) == 0

    assert called == _asked_for("provisioning", "existing-certificates")
    _clean(aws, "made", "given")


def _asked_for(*policies: str) -> set[str]:
    statements = [each for name in policies for each in _POLICIES[name]["Statement"]]
    return (_actions(statements) - _NOT_ASKED_FOR) | {"sts:GetCallerIdentity"}


def _fill_versions(cloud: Cloud) -> None:
    iot = cloud.client("iot")
    for _ in range(4):
        iot.create_policy_version(
            policyName=policy.NAME,
            policyDocument='{"Version": "2012-10-17", "Statement": []}',
            setAsDefault=True,
        )


def _deactivate(cloud: Cloud, thing: str) -> None:
    iot = cloud.client("iot")
    (arn,) = iot.list_thing_principals(thingName=thing)["principals"]
    iot.update_certificate(certificateId=arn.rpartition("/")[2], newStatus="INACTIVE")


def _clean(aws: Path, *things: str) -> None:
    (aws / "credentials").write_text(
        "[lab]\naws_access_key_id = test\naws_secret_access_key = test\n"
    )
    for thing in things:
        assert main(["provision", "--teardown", thing, "--yes", *_LAB]) == 0


def test_teardown_needs_just_what_its_policy_allows_besides(
    aws: Path, cloud: Cloud, called: set[str]
) -> None:
    assert main(["provision", "gone", *_LAB]) == 0  # as administrator
    _fill_versions(cloud)
    _become(aws, cloud, "remover", "provisioning", "teardown")
    assert main(["provision", "--teardown", "gone", "--yes", *_LAB]) == 0
    assert called > {f"iot:{name}" for name in _TEARDOWN_ONLY}
    assert called <= _asked_for("provisioning", "teardown")
    assert _actions(_POLICIES["teardown"]["Statement"]) <= called
    assert cloud.client("iot").list_policies()["policies"] == []


_TEARDOWN_ONLY = ("DeleteThing", "DeleteCertificate", "DeletePolicy", "ListTargetsForPolicy")


@pytest.mark.parametrize("dropped", ["iot:CreateThing", "iot:GetPolicy", "iot:AttachPolicy"])
def test_without_one_of_them_the_missing_one_is_named(
    dropped: str, aws: Path, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        left = [
            {**each, "Action": sorted(_actions([each]) - {dropped})}
            for each in _POLICIES["provisioning"]["Statement"]
        ]
        patch.setitem(_POLICIES, "provisioning", {"Statement": left})
        _become(aws, cloud, f"without-{dropped[4:]}", "provisioning")
    assert main(["provision", "short", *_LAB]) == 1
    assert f"ask for permission {dropped}," in capsys.readouterr().err
    _clean(aws, "short")


def test_provisioning_may_touch_no_other_policy(aws: Path, cloud: Cloud) -> None:
    cloud.client("iot").create_policy(
        policyName="Theirs", policyDocument='{"Version": "2012-10-17", "Statement": []}'
    )
    _become(aws, cloud, "limited", "provisioning", "teardown")
    iot = _lab_client()
    for method in ("get_policy", "delete_policy"):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(iot, method)(policyName="Theirs")
    with pytest.raises(ClientError, match="AccessDenied"):
        iot.list_jobs()
    cloud.client("iot").delete_policy(policyName="Theirs")


def _lab_client() -> Any:
    return Cloud("aws", None, "us-east-1", profile="lab").client("iot")


@pytest.fixture
def thing(cloud: Cloud) -> Iterator[str]:
    iot = cloud.client("iot")
    iot.create_thing(thingName="my-thing")
    iot.create_thing(thingName="other-thing")
    yield "my-thing"
    iot.delete_thing(thingName="my-thing")
    iot.delete_thing(thingName="other-thing")


def test_the_sample_s_jobs_need_just_what_their_policy_allows(
    aws: Path, cloud: Cloud, called: set[str], thing: str
) -> None:
    _become(aws, cloud, "operator", "jobs")
    iot = _lab_client()
    arn = iot.describe_thing(thingName=thing)["thingArn"]
    iot.create_job(jobId="TestJob", targets=[arn], document='{"Todo": "Reboot"}')
    iot.delete_job(jobId="TestJob", force=True)
    assert called == _asked_for("jobs") - {"sts:GetCallerIdentity"}
    for denied in (
        lambda: iot.describe_thing(thingName="other-thing"),
        lambda: iot.cancel_job(jobId="TestJob"),
        lambda: iot.list_jobs(),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            denied()


def test_the_sample_s_own_policy_does_not_let_its_walkthrough_begin(
    aws: Path, cloud: Cloud, thing: str
) -> None:
    only_jobs = {"Statement": _POLICIES["jobs"]["Statement"][1:]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_POLICIES, "jobs", only_jobs)
        _become(aws, cloud, "sample", "jobs")
    with pytest.raises(ClientError, match="iot:DescribeThing"):
        _lab_client().describe_thing(thingName=thing)


def test_watching_needs_just_what_its_policy_allows(
    aws: Path, cloud: Cloud, called: set[str], thing: str
) -> None:
    arn = f"arn:aws:iot:us-east-1:000000000000:thing/{thing}"
    admin = cloud.client("iot")
    admin.create_job(jobId="Watched", targets=[arn], document="{}")
    _become(aws, cloud, "watcher", "watch")
    iot = _lab_client()
    iot.list_jobs()
    iot.list_job_executions_for_thing(thingName=thing)
    iot.describe_job(jobId="Watched")
    iot.describe_job_execution(jobId="Watched", thingName=thing)
    iot.cancel_job_execution(jobId="Watched", thingName=thing)
    admin.create_job(jobId="Waiting", targets=[arn], document="{}")
    iot.cancel_job(jobId="Waiting")
    assert called == _asked_for("watch") - {"sts:GetCallerIdentity"}
    with pytest.raises(ClientError, match="AccessDenied"):
        iot.list_job_executions_for_thing(thingName="other-thing")
    for job in ("Watched", "Waiting"):
        admin.delete_job(jobId=job, force=True)
