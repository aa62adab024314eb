"""The doctor's checks of the cloud, each provoked on the local IoT Core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from host_tools import deployed
from host_tools.cloud import access, local
from host_tools.cloud.access import Cloud, MqttEndpoint
from host_tools.deploy import settings
from host_tools.doctor import Check, Verdict, authorization, cloud
from host_tools.doctor.cloud import Patient
from host_tools.errors import ToolError
from host_tools.identity import ThingIdentity
from host_tools.policy import NAME as SHARED_POLICY
from host_tools.provision import provision
from host_tools.provision.calls import Calls, Place
from host_tools.target import Target
from tests.cloud_fixture import ANY_PORT
from tests.host.doctor_bench import client, expect, failing, policy
from tests.host.provision_bench import user

OK, WARN, FAIL, SKIP = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.SKIP


@pytest.fixture(scope="module")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBS_SANDBOX_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path_factory.mktemp("none") / "sandbox.toml"))
        running = local.start(http_port=ANY_PORT, mqtt_port=ANY_PORT, bound=True)
        try:
            yield Cloud("local", running.endpoint_url, running.region, local_info=running)
        finally:
            local.stop()


@pytest.fixture
def iot(local_cloud: Cloud) -> Any:
    return local_cloud.client("iot")


@pytest.fixture
def known(local_cloud: Cloud, request: pytest.FixtureRequest) -> ThingIdentity:
    """A freshly provisioned thing."""
    name = str(request.node.name).replace("_", "-").partition("[")[0]
    return provision(local_cloud, name[-60:])


def examine(cloud_in_use: Cloud, known: ThingIdentity, **more: Any) -> dict[str, Check]:
    patient = Patient(**{"identity": known, "client_id": known.thing, **more})
    return {check.name: check for check in cloud.checks(cloud_in_use, patient)}


def test_all_is_well_after_provisioning(local_cloud: Cloud, known: ThingIdentity) -> None:
    found = examine(local_cloud, known)
    assert {check.verdict for check in found.values()} == {OK}
    expect(found["policy"], OK, "allows all 21 actions")
    expect(found["attachments"], OK, SHARED_POLICY)


def test_cloud_that_does_not_answer(known: ThingIdentity) -> None:
    running = local.status()
    assert running is not None
    gone = Cloud("local", "http://127.0.0.1:1", "us-east-1", local_info=running)
    found = examine(gone, known)
    assert list(found) == ["credentials"]
    expect(found["credentials"], FAIL, "no answer from the cloud", "cloud status")


def test_credentials_that_the_cloud_does_not_know(
    local_cloud: Cloud, known: ThingIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    found = examine(replace(local_cloud, local_info=None), known)
    expect(found["credentials"], FAIL, "GetCallerIdentity", "credentials")


def test_aws_without_credentials(known: ThingIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = examine(Cloud("aws", None, "eu-west-1"), known)
    assert list(found) == ["credentials"]
    expect(found["credentials"], FAIL, "credentials", "aws configure")


def test_user_without_a_permission_is_told_which(
    local_cloud: Cloud, known: ThingIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in user(local_cloud, "nurse", ["sts:*", "iot:ListAttachedPolicies"]).items():
        monkeypatch.setenv(name, value)
    found = examine(replace(local_cloud, local_info=None), known)
    expect(found["credentials"], OK, "account")
    expect(found["thing"], FAIL, "AccessDenied", "iot:DescribeThing")
    expect(found["certificate"], FAIL, "AccessDenied", "iot:DescribeCertificate")


def test_port_that_nobody_listens_at(local_cloud: Cloud, known: ThingIdentity) -> None:
    assert local_cloud.local_info
    deaf = replace(local_cloud, local_info=replace(local_cloud.local_info, mqtt_port=1))
    found = examine(deaf, replace(known, port=1))
    expect(found["reachable"], FAIL, "localhost:1 does not take connections", "firewall")


def test_endpoint_of_another_cloud(local_cloud: Cloud, known: ThingIdentity) -> None:
    found = examine(local_cloud, replace(known, endpoint="x-ats.iot.eu-west-1.amazonaws.com"))
    expect(found["endpoint"], FAIL, "x-ats.iot.eu-west-1.amazonaws.com:", "--cloud local")


def test_thing_that_is_gone(local_cloud: Cloud, known: ThingIdentity, iot: Any) -> None:
    iot.detach_thing_principal(thingName=known.thing, principal=known.certificate_arn)
    iot.delete_thing(thingName=known.thing)
    found = examine(local_cloud, known)
    expect(found["thing"], FAIL, f"there is no thing {known.thing}", "jobs-sandbox provision")


def test_certificate_that_is_inactive(local_cloud: Cloud, known: ThingIdentity, iot: Any) -> None:
    iot.update_certificate(certificateId=known.certificate_id, newStatus="INACTIVE")
    found = examine(local_cloud, known)
    assert failing(found) == {"certificate"}
    expect(found["certificate"], FAIL, "is INACTIVE", "update-certificate --certificate-id")


def test_certificate_that_is_not_registered(local_cloud: Cloud, known: ThingIdentity) -> None:
    found = examine(local_cloud, replace(known, certificate_id="0" * 64))
    expect(found["certificate"], FAIL, "not registered", "jobs-sandbox provision")


def test_certificate_that_is_not_attached(
    local_cloud: Cloud, known: ThingIdentity, iot: Any
) -> None:
    iot.detach_thing_principal(thingName=known.thing, principal=known.certificate_arn)
    found = examine(local_cloud, known)
    assert failing(found) == {"attachments", "policy"}
    expect(found["attachments"], FAIL, "not attached to", "jobs-sandbox provision")
    expect(found["policy"], FAIL, f"iot:Connect on client/{known.thing}")


def test_certificate_without_a_policy(local_cloud: Cloud, known: ThingIdentity, iot: Any) -> None:
    iot.detach_policy(policyName=SHARED_POLICY, target=known.certificate_arn)
    found = examine(local_cloud, known)
    assert failing(found) == {"attachments", "policy"}
    expect(found["attachments"], FAIL, "no policy is attached", f"provision {known.thing}")
    provision(local_cloud, known.thing)
    assert not failing(examine(local_cloud, known)), "the fix mends it"


def test_policy_that_allows_less_than_the_firmware_needs(
    local_cloud: Cloud, known: ThingIdentity, iot: Any
) -> None:
    _only(iot, known, policy({"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}))
    found = examine(local_cloud, known)
    expect(found["policy"], FAIL, "jobs/notify", f"`jobs-sandbox provision {known.thing}`")
    assert " and 17 more" in found["policy"].text
    provision(local_cloud, known.thing)
    assert not failing(examine(local_cloud, known)), "the fix mends it"


def _only(iot: Any, known: ThingIdentity, text: str) -> None:
    iot.detach_policy(policyName=SHARED_POLICY, target=known.certificate_arn)
    iot.create_policy(policyName=known.thing, policyDocument=text)
    iot.attach_policy(policyName=known.thing, target=known.certificate_arn)


def test_policy_that_forbids_a_topic(local_cloud: Cloud, known: ThingIdentity, iot: Any) -> None:
    allow = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "iot:Publish", "Resource": "*/jobs/*/update"}
    _only(iot, known, policy(allow, deny))
    found = examine(local_cloud, known)
    assert failing(found) == {"policy"}
    topic = f"iot:Publish on topic/$aws/things/{known.thing}/jobs/doctor/update"
    expect(found["policy"], FAIL, f"denies {topic} (by {known.thing}, statement 2)", "narrow its")


def test_policy_that_speaks_of_the_common_name(
    local_cloud: Cloud, known: ThingIdentity, iot: Any
) -> None:
    variable = "${iot:Certificate.Subject.CommonName}"
    connect = {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"*:client/{variable}"}
    rest = {"Effect": "Allow", "Action": ["iot:P*", "iot:S*", "iot:R*"], "Resource": "*"}
    _only(iot, known, policy(connect, rest))
    assert local_cloud.local_info
    with client(known, local_cloud.local_info).connected() as wire:
        assert wire.alive(), "the local IoT Core allows it"
    expect(examine(local_cloud, known)["policy"], OK, "allows all")


def test_client_id_that_is_not_the_things_name(local_cloud: Cloud, known: ThingIdentity) -> None:
    found = examine(local_cloud, known, client_id="another")
    expect(found["policy"], FAIL, "iot:Connect on client/another", "thing's name as client id")


def test_policy_that_cannot_be_evaluated(
    local_cloud: Cloud, known: ThingIdentity, iot: Any
) -> None:
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    _only(iot, known, policy({"Effect": "Allow", "Action": "iot:*", "Resource": "*",
                              "Condition": condition}))  # fmt: skip
    expect(examine(local_cloud, known)["policy"], WARN, "IpAddress is not evaluated here")


def test_client_id_in_use_twice(local_cloud: Cloud, known: ThingIdentity) -> None:
    found = examine(local_cloud, known, trouble="DROPPED_REPEATEDLY")
    expect(found["client id"], FAIL, "another client may use", "for each board")
    for port in ("/dev/ttyUSB0", "/dev/ttyUSB1"):
        settings.remember(Target(port, None), known.thing, "virtual")
    found = examine(local_cloud, known)
    expect(found["client id"], FAIL, "/dev/ttyUSB0 and /dev/ttyUSB1 were both", "provision")
    deployed.forget("/dev/ttyUSB1")
    for gone in ("off", "sample"):
        deployed.remember(gone, known.thing, "virtual")
    expect(examine(local_cloud, known)["client id"], OK, "no sign of a second client")


def test_jobs_that_wait_are_counted(local_cloud: Cloud, known: ThingIdentity, iot: Any) -> None:
    iot.create_job(jobId="waits", targets=[known.thing_arn], document="{}")
    found = examine(local_cloud, known)
    expect(found["jobs"], OK, "0 IN_PROGRESS; 1 QUEUED (waits)")


def test_refusals_of_the_local_iot_core_are_told(local_cloud: Cloud, known: ThingIdentity) -> None:
    info = local_cloud.local_info
    assert info is not None
    device = client(known, info)
    with device.connected() as wire:
        wire.publish("not/mine")
        assert wire.closed()
    expect(examine(local_cloud, known)["refusals"], WARN, "iot:Publish on topic/not/mine")


def test_without_a_thing_only_the_cloud_itself_is_checked(local_cloud: Cloud) -> None:
    found = {check.name: check for check in cloud.checks(local_cloud, None)}
    assert list(found) == ["credentials", "endpoint", "reachable", "thing"]
    expect(found["thing"], SKIP, "no thing is given", "--thing")
    found = {check.name: check for check in cloud.checks(local_cloud, None, "gone")}
    expect(found["thing"], SKIP, "gone is not provisioned on this", "provision gone`")


# AWS: what MiniStack lacks is held against botocore's model


def _on_aws(monkeypatch: pytest.MonkeyPatch) -> tuple[Calls, Stubber]:
    client = boto3.Session("AKIAIOSFODNN7EXAMPLE", "none", region_name="eu-west-1").client("iot")
    monkeypatch.setattr(Cloud, "client", lambda self, service: client)
    calls = Calls(Cloud("aws", None, "eu-west-1"))
    calls.__dict__["place"] = Place("aws", "eu-west-1", "123456789012")
    return calls, Stubber(client)


def test_aws_is_asked_in_calls_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, stub = _on_aws(monkeypatch)
    arn = "arn:aws:iot:eu-west-1:123456789012:cert/" + "a" * 64
    wanted = authorization.needs("lamp", "lamp")
    denied = wanted[12]
    for begin in range(0, len(wanted), 10):
        infos = [
            {
                "actionType": each.action,
                "resources": [calls.place.arn(*each.resource.split("/", 1))],
            }
            for each in wanted[begin : begin + 10]
        ]
        results = [
            {"authInfo": info, "authDecision": "ALLOWED"}
            if info["resources"] != [calls.place.arn(*denied.resource.split("/", 1))]
            else {
                "authInfo": info,
                "authDecision": "EXPLICIT_DENY",
                "denied": {"explicitDeny": {"policies": [{"policyName": "No"}]}},
            }
            for info in infos
        ]
        stub.add_response(
            "test_authorization",
            {"authResults": list(reversed(results))},
            {"principal": arn, "clientId": "lamp", "authInfos": infos},
        )
    with stub:
        answers = authorization.ask_aws(calls, arn, "lamp", wanted)
    stub.assert_no_pending_responses()
    assert [each.need for each in answers if not each.allowed] == [denied]
    assert next(each.by for each in answers if not each.allowed) == "No"


def test_endpoint_of_aws_that_is_no_ats_endpoint(
    known: ThingIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, _ = _on_aws(monkeypatch)
    old = MqttEndpoint("x.iot.eu-west-1.amazonaws.com", 8883, [])
    found = cloud._endpoint(calls.cloud, None, old)
    expect(found, WARN, "x.iot.eu-west-1.amazonaws.com:8883 is not an ATS endpoint")
    expect(cloud._refusals(calls, Patient(known, "c")), SKIP, "only the local IoT Core tells")


def test_endpoint_that_aws_does_not_tell(
    known: ThingIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, stub = _on_aws(monkeypatch)
    stub.add_client_error("describe_endpoint", "AccessDeniedException", "no")
    with stub:
        (found,) = cloud._endpoint_checks(calls.cloud, Patient(known, "c"))
    expect(found, FAIL, "AccessDenied", "iot:DescribeEndpoint")


def test_refusal_of_aws_to_tell_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, stub = _on_aws(monkeypatch)
    stub.add_client_error("test_authorization", "UnauthorizedException", "no")
    with stub, pytest.raises(ToolError, match="TestAuthorization"), access.aws_errors():
        authorization.ask_aws(calls, "arn", "lamp", authorization.needs("lamp", "lamp"))


def test_every_action_of_the_firmware_is_asked_about() -> None:
    wanted = [str(each) for each in authorization.needs("lamp", "lamp-1")]
    assert "iot:Connect on client/lamp-1" in wanted
    assert "iot:Subscribe on topicfilter/$aws/things/lamp/jobs/+/update/+" in wanted
    assert "iot:Receive on topic/$aws/things/lamp/jobs/notify-next" in wanted
    assert "iot:Publish on topic/$aws/things/lamp/jobs/doctor/get" in wanted
    assert len(wanted) == len(set(wanted)) == 21
