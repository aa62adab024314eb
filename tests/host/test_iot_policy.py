"""The evaluator of IoT policies: by itself, and against the local IoT Core by connecting to it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from host_tools.cloud.info import CloudInfo
from host_tools.iot_policy import Client, Decision, PolicyError, decide
from tests.cloud_fixture import Registry
from tests.mqtt_wire import Device, connect

_ARN = "arn:aws:iot:us-east-1:000000000000"
_THING = "${iot:Connection.Thing.ThingName}"
_numbers = itertools.count(1)


def _statement(effect: str, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _decide(document: str, action: str, resource: str, client: Client | None = None) -> Decision:
    client = client or Client("lamp", ("lamp",))
    return decide({"P": document}, client, action, f"{_ARN}:{resource}")


def test_deny_wins_and_what_is_not_named_is_denied() -> None:
    document = _document(
        _statement("Allow", "iot:*", "*"),
        _statement("Deny", "iot:Publish", f"{_ARN}:topic/secret/*"),
    )
    assert _decide(document, "iot:Publish", "topic/a") == Decision(True, "P, statement 1")
    assert _decide(document, "iot:Publish", "topic/secret/a") == Decision(False, "P, statement 2")
    assert _decide(document, "iot:Subscribe", "topicfilter/secret/a").allowed
    nothing = _document(_statement("Allow", "iot:Connect", "*"))
    assert _decide(nothing, "iot:Publish", "topic/a") == Decision(False, "")


def test_a_deny_counts_whichever_policy_has_it() -> None:
    allow, deny = (_document(_statement(each, "iot:*", "*")) for each in ("Allow", "Deny"))
    for documents in ({"A": allow, "D": deny}, {"D": deny, "A": allow}):
        found = decide(documents, Client("lamp"), "iot:Connect", f"{_ARN}:client/lamp")
        assert found == Decision(False, "D, statement 1")


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("topic/a/*", "topic/a/b/c", True),
        ("topic/a/?", "topic/a/b", True),
        ("topic/a/?", "topic/a/bc", False),
        ("topicfilter/a/+", "topicfilter/a/+", True),  # MQTT's wildcards are none of a policy's
        ("topicfilter/a/+", "topicfilter/a/b", False),
        ("topicfilter/a/#", "topicfilter/a/b", False),
        ("topic/a.b", "topic/axb", False),
        ("topic/${*}", "topic/*", True),
        ("topic/${*}", "topic/a", False),
        ("topic/$aws/things/${iot:Connection.Thing.ThingName}/jobs/*",
         "topic/$aws/things/lamp/jobs/get", True),
        ("topic/${iot:ClientId}", "topic/lamp", True),
        ("topic/${IOT:CLIENTID}", "topic/lamp", True),
        ("topic/${iot:Unknown}", "topic/${iot:Unknown}", False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, resource: str, matches: bool) -> None:
    document = _document(_statement("Allow", "iot:Publish", f"{_ARN}:{pattern}"))
    assert _decide(document, "iot:Publish", resource).allowed is matches


def test_a_client_id_is_no_pattern() -> None:
    document = _document(_statement("Allow", "iot:Publish", f"{_ARN}:topic/${{iot:ClientId}}"))
    assert not _decide(document, "iot:Publish", "topic/lamp", Client("*")).allowed


def test_common_name_of_the_certificate() -> None:
    variable = "${iot:Certificate.Subject.CommonName}"
    document = _document(_statement("Allow", "iot:Publish", f"{_ARN}:topic/{variable}/a"))
    for name, allowed in (("lamp", True), ("other", False), (None, False)):
        client = Client("c", common_name=name)
        assert _decide(document, "iot:Publish", "topic/lamp/a", client).allowed is allowed


def test_variables_of_the_thing_need_its_name_as_client_id_and_the_attachment() -> None:
    document = _document(_statement("Allow", "iot:Connect", f"{_ARN}:client/{_THING}"))
    for client, allowed in (
        (Client("lamp", ("lamp",)), True),
        (Client("lamp"), False),
        (Client("other", ("lamp",)), False),
    ):
        resource = f"client/{client.client_id}"
        assert _decide(document, "iot:Connect", resource, client).allowed is allowed


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "holds"),
    [
        ("Bool", "iot:Connection.Thing.IsAttached", ["true"], True),
        ("Bool", "iot:Connection.Thing.IsAttached", "False", False),
        ("StringEquals", "iot:ClientId", ["x", "lamp"], True),
        ("StringEquals", "iot:ClientId", "l*", False),
        ("StringEqualsIgnoreCase", "iot:ClientId", "LAMP", True),
        ("StringLike", "iot:ClientId", "l*", True),
        ("StringNotLike", "iot:ClientId", "l*", False),
        ("StringNotEquals", "iot:ClientId", "x", True),
        ("ForAnyValue:StringEquals", "iot:ClientId", "lamp", True),
        ("StringEquals", "iot:Nothing", "x", False),
        ("StringEqualsIfExists", "iot:Nothing", "x", True),
        ("StringEquals", "iot:ClientId", _THING, True),
    ],
)
def test_conditions(operator: str, key: str, wanted: Any, holds: bool) -> None:
    condition = {operator: {key: wanted}}
    document = _document(_statement("Allow", "iot:Connect", "*", Condition=condition))
    assert _decide(document, "iot:Connect", "client/lamp").allowed is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "P is no policy document"),
        ("[]", "P is no policy document"),
        (_document({"Effect": "Maybe"}), "P, statement 1 is no statement"),
        (_document(_statement("Allow", "iot:*", "*", NotAction="x")), "has NotAction"),
        (
            _document(
                _statement("Allow", "iot:*", "*", Condition={"IpAddress": {"aws:SourceIp": "::"}})
            ),
            "IpAddress is not evaluated here",
        ),
    ],
)
def test_what_is_not_understood_is_told_and_not_guessed(text: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        _decide(text, "iot:Connect", "client/lamp")


# What the evaluator says must be what happens to a client that does it

_JOBS = f"$aws/things/{_THING}/jobs"
_POLICIES = {
    "variables": [
        _statement("Allow", "iot:Connect", f"{_ARN}:client/{_THING}"),
        _statement("Allow", "iot:Publish", f"{_ARN}:topic/{_JOBS}/*"),
        _statement("Allow", "iot:Subscribe", f"{_ARN}:topicfilter/{_JOBS}/*"),
    ],
    "exact filters": [
        _statement("Allow", "iot:Connect", "*"),
        _statement("Allow", "iot:Sub*", f"{_ARN}:topicfilter/{_JOBS}/get/+"),
    ],
    "deny": [
        _statement("Allow", "iot:*", "*"),
        _statement("Deny", ["iot:Publish", "iot:Subscribe"], f"{_ARN}:*/{_JOBS}/get*"),
    ],
    "attached": [
        _statement("Allow", "iot:*", "*", Condition={
            "Bool": {"iot:Connection.Thing.IsAttached": ["true"]},
            "StringLike": {"iot:ClientId": "p?licy-*"},
        }),
    ],
    "common name": [
        _statement("Allow", ["iot:Connect", "iot:Subscribe"], "*"),
        _statement("Allow", "iot:Publish", f"{_ARN}:topic/*", Condition={
            "StringEquals": {"iot:Certificate.Subject.CommonName": "AWS IoT Certificate"},
        }),
    ],
    "nothing": [_statement("Allow", "iot:Connect", f"{_ARN}:client/somebody-else")],
}  # fmt: skip


def _connects(device: Device, client_id: str) -> bool:
    with device.open() as wire:
        wire.send(connect(client_id))
        try:
            return bool(wire.packet()[2][1] == 0)
        except EOFError:
            return False


def _may(device: Device, client_id: str, action: str, topic: str) -> bool:
    with device.connected(client_id) as wire:
        if action == "iot:Subscribe":
            try:
                return wire.subscribe(topic) != [0x80]
            except EOFError:
                return False
        wire.publish(topic, {})
        return wire.alive()


@pytest.mark.parametrize("name", _POLICIES)
def test_it_decides_as_the_local_iot_core_does(
    name: str, registry: Registry, strict_cloud: CloudInfo
) -> None:
    thing = f"policy-{next(_numbers)}"
    document = _document(*_POLICIES[name]).replace("000000000000", strict_cloud.account)
    device = registry.device(thing, json.loads(document))
    subject = x509.load_pem_x509_certificate(device.certificate.read_bytes()).subject
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    common_name = str(names[0].value) if names else None
    arn = f"arn:aws:iot:{strict_cloud.region}:{strict_cloud.account}:"
    for client_id in (thing, f"other-{thing}"):
        client = Client(client_id, (thing,), common_name)

        def says(action: str, resource: str, client: Client = client) -> bool:
            return decide({"P": document}, client, action, arn + resource).allowed

        connects = says("iot:Connect", f"client/{client_id}")
        assert _connects(device, client_id) is connects, client_id
        for action, kind, tail in (
            ("iot:Subscribe", "topicfilter", "get/+"),
            ("iot:Subscribe", "topicfilter", "notify"),
            ("iot:Publish", "topic", "get"),
            ("iot:Publish", "topic", "x/update"),
        ):
            if connects:
                topic = f"$aws/things/{thing}/jobs/{tail}"
                wanted = says(action, f"{kind}/{topic}")
                assert _may(device, client_id, action, topic) is wanted, (client_id, action, tail)
