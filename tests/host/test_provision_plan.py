"""The dry run: it makes nothing, and shows the very calls that a real run makes."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools import paths, policy
from host_tools.__main__ import main
from host_tools.cloud.access import Cloud
from host_tools.provision import plan, provision, unanswered
from host_tools.provision.calls import Calls
from host_tools.provision.making import CERTIFICATE_PLACEHOLDER, _signing_request
from tests.host.provision_bench import ROOT, counted, empty

_CALLS = [
    "CreateThing",
    "CreatePolicy",
    "CreateCertificateFromCsr",
    "AttachPolicy",
    "AttachThingPrincipal",
]


@pytest.fixture
def cloud(private_cloud: Cloud) -> Cloud:
    """The module's cloud, empty."""
    empty(private_cloud)
    return private_cloud


def test_the_plan_is_what_a_real_run_does_and_makes_nothing_itself(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    iot = cloud.client("iot")
    planned = plan(cloud, ["planned"])
    assert not iot.list_things()["things"] and not iot.list_policies()["policies"]
    assert not (paths.home() / "things").exists()
    assert not (paths.home() / "policy.json").exists()

    with counted() as made:
        arn = provision(cloud, "planned").certificate_arn
    assert [operation for operation, _ in made] == _CALLS
    for (operation, parameters), call in zip(made, planned, strict=True):
        expected = {
            name: arn if value == CERTIFICATE_PLACEHOLDER else value
            for name, value in call.parameters.items()
        }
        if operation == "CreateCertificateFromCsr":
            expected["certificateSigningRequest"] = parameters["certificateSigningRequest"]
        assert (operation, parameters) == (call.operation, expected)

    with counted() as made:
        provision(cloud, "planned")
    assert made == []
    assert plan(cloud, ["planned"]) == []


def test_planned_calls_fit_the_models_of_botocore(cloud: Cloud) -> None:
    model = botocore.session.Session().get_service_model("iot")
    for call in plan(cloud, ["a", "b"]):
        shape = model.operation_model(call.operation).input_shape
        report = ParamValidator().validate(call.parameters, shape)
        assert not report.has_errors(), report.generate_report()


def test_a_batch_plans_the_policy_once(cloud: Cloud) -> None:
    operations = [call.operation for call in plan(cloud, ["a", "b"])]
    assert operations.count("CreatePolicy") == 1
    assert operations.count("CreateThing") == 2


def test_the_shown_commands_do_the_same_by_the_aws_cli(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = tmp_path / "request.pem"
    request.write_bytes(_signing_request("by-hand", ec.generate_private_key(ec.SECP256R1())))
    assert main(["provision", "by-hand", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(_CALLS)
    arn = ""
    for line in lines:
        words = shlex.split(line.replace(CERTIFICATE_PLACEHOLDER, arn))
        assert words[:3] == ["jobs-sandbox", "aws", "iot"]
        done = subprocess.run(
            [ROOT.python, "-m", "host_tools", *words[1:], "--output", "json"],
            cwd=tmp_path, env=_environment(), capture_output=True, check=True, text=True,
        )  # fmt: skip
        arn = arn or json.loads(done.stdout or "{}").get("certificateArn", "")
    iot = cloud.client("iot")
    assert iot.list_thing_principals(thingName="by-hand")["principals"] == [arn]
    attached = iot.list_attached_policies(target=arn)["policies"]
    assert [each["policyName"] for each in attached] == [policy.NAME]


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT.folder)}


def test_json_tells_operations_parameters_and_commands(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["provision", "planned", "--dry-run", "--json"]) == 0
    planned: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [each["operation"] for each in planned] == _CALLS
    assert planned[0]["command"].startswith("jobs-sandbox aws iot create-thing --thing-name")
    document = json.loads(planned[1]["parameters"]["policyDocument"])
    assert document == policy.document("aws", "us-east-1", "000000000000")


def test_everything_that_can_carry_a_tag_does(cloud: Cloud) -> None:
    provision(cloud, "tagged")
    iot = cloud.client("iot")
    assert iot.describe_thing(thingName="tagged")["attributes"] == {"created-by": "jobs-sandbox"}
    arn = iot.get_policy(policyName=policy.NAME)["policyArn"]
    tags = iot.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"Key": "created-by", "Value": "jobs-sandbox"}]
    # of what provisioning makes, botocore knows tags for the policy only
    model = botocore.session.Session().get_service_model("iot")
    taggable = [
        name for name in _CALLS if "tags" in model.operation_model(name).input_shape.members
    ]
    assert taggable == ["CreatePolicy"]


def test_a_policy_of_somebody_else_is_not_overwritten(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    iot = cloud.client("iot")
    theirs = '{"Version": "2012-10-17", "Statement": []}'
    arn = iot.create_policy(policyName=policy.NAME, policyDocument=theirs)["policyArn"]
    assert main(["provision", "polite"]) == 1
    said = capsys.readouterr().err
    assert "was not made by jobs-sandbox" in said
    assert iot.get_policy(policyName=policy.NAME)["policyDocument"] == theirs

    tag = {"Key": "created-by", "Value": "jobs-sandbox"}  # what the hint says
    assert f"--resource-arn {arn} --tags Key=created-by,Value=jobs-sandbox" in said
    iot.tag_resource(resourceArn=arn, tags=[tag])
    assert main(["provision", "polite"]) == 0


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("cut", range(len(_CALLS)))
def test_a_run_whose_answer_was_lost_is_finished_by_the_next_or_taken_back(
    cut: int, finished: bool, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    with counted(fail_at=cut) as calls:
        assert main(["provision", "lost"]) == 1
    assert len(calls) == cut + 1
    assert "no answer from the cloud" in capsys.readouterr().err
    if finished:
        made = provision(cloud, "lost")
        (found,) = cloud.client("iot").list_certificates()["certificates"]
        assert found["certificateId"] == made.certificate_id
        assert not (made.folder / "request.pem").exists()
    assert main(["provision", "--teardown", "lost", "--yes"]) == 0
    assert not cloud.client("iot").list_certificates()["certificates"]
    assert not cloud.client("iot").list_things()["things"]
    assert not cloud.client("iot").list_policies()["policies"]


def test_who_may_not_look_for_a_lost_certificate_gets_another(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with counted(fail_at=_CALLS.index("CreateCertificateFromCsr")):
        assert main(["provision", "lost"]) == 1
    every = Calls.every

    def denied(self: Calls, method: str, member: str, **parameters: Any) -> list[Any]:
        if method == "list_certificates":
            answer = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
            raise ClientError(answer, "ListCertificates")
        return every(self, method, member, **parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Calls, "every", denied)
        assert main(["provision", "lost"]) == 0
    assert "iot:ListCertificates is not allowed here" in capsys.readouterr().err
    assert len(cloud.client("iot").list_certificates()["certificates"]) == 2
    assert main(["provision", "--teardown", "lost", "--yes"]) == 0


def test_a_refused_request_leaves_nothing_to_look_for(cloud: Cloud) -> None:
    calls = Calls(cloud)
    with pytest.raises(ClientError):
        unanswered.ask(calls, "refused", b"no request")
    assert not (paths.thing_folder("refused") / "request.pem").exists()
