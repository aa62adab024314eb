"""When the local IoT Core ends a connection by itself, and what a policy denies."""

from __future__ import annotations

import pytest

from host_tools.cloud.refusals import recent_refusals
from tests.cloud_fixture import Registry
from tests.mqtt_wire import CONNACK, DISCONNECT, Device, connect, subscribe

_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect",
         "Resource": "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"],
         "Resource": "arn:aws:iot:*:*:topic/own/${iot:Connection.Thing.ThingName}"},
        {"Effect": "Allow", "Action": "iot:Subscribe",
         "Resource": "arn:aws:iot:*:*:topicfilter/own/${iot:Connection.Thing.ThingName}"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def limited(registry: Registry) -> Device:
    return registry.device("limited", _POLICY)


def test_silence_for_one_and_a_half_keep_alives_ends_the_connection(
    trusted: Device, witness: Device
) -> None:
    with witness.connected() as other, trusted.connected(keepalive=2, will=("gone", b"!")) as wire:
        assert other.subscribe("gone") == [1]
        with trusted.open() as modern:
            modern.send(connect("modern", keepalive=2, version=5))
            assert modern.packet()[0] == CONNACK
            assert not wire.closed(2.2)
            assert wire.closed()
            assert other.message() == ("gone", b"!")
            kind, _, body = modern.packet()
            assert (kind, body[0]) == (DISCONNECT, 0x8D)  # MQTT 5 is told
    reason = "silent for 1.5 times its keep-alive of 2 s"
    assert recent_refusals(client=trusted.name)[-1].reason == reason


def test_a_ping_keeps_the_connection(trusted: Device) -> None:
    with trusted.connected(keepalive=1) as wire:
        for _ in range(3):
            assert not wire.closed(0.7)
            assert wire.alive()


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_a_deactivated_certificate_is_disconnected(registry: Registry, status: str) -> None:
    doomed = registry.device(f"doomed-{status}")
    with doomed.connected() as wire:
        registry.iot.update_certificate(certificateId=doomed.certificate_id, newStatus=status)
        assert wire.closed()
    assert recent_refusals()[-1].reason == f"its certificate is {status}"
    with doomed.open() as wire:
        wire.send(connect(doomed.name))
        assert wire.closed()
    assert f"status '{status}'" in recent_refusals()[-1].reason


def test_a_denied_connect_names_the_client(limited: Device) -> None:
    with limited.open() as wire:
        wire.send(connect("somebody"))
        assert wire.closed()
    refusal = recent_refusals()[-1]
    assert (refusal.action, refusal.resource) == ("iot:Connect", "client/somebody")
    assert "not attached to a thing named as the client id" in refusal.reason
    assert refusal.certificate == limited.certificate_id


def test_a_denied_subscribe_closes_and_names_the_filter(limited: Device) -> None:
    with limited.connected() as wire:
        assert wire.subscribe("own/limited") == [1]
        wire.send(subscribe(2, ["own/other"]))
        assert wire.closed()
    refusal = recent_refusals(client="limited")[-1]
    assert (refusal.action, refusal.resource) == ("iot:Subscribe", "topicfilter/own/other")
    assert refusal.reason == "iot:Subscribe on topicfilter/own/other is not allowed by limited"


def test_a_denied_publish_closes_and_names_the_topic(limited: Device) -> None:
    with limited.connected() as wire:
        assert wire.subscribe("own/limited") == [1]
        wire.publish("own/limited", b"allowed")
        assert wire.message() == ("own/limited", b"allowed")
        wire.publish("own/other", b"denied")
        assert wire.closed()
    assert recent_refusals()[-1].resource == "topic/own/other"


def test_a_certificate_without_policy_is_told_so(registry: Registry) -> None:
    bare = registry.device("bare")
    registry.iot.detach_policy(policyName="bare", target=bare.certificate_arn)
    with bare.open() as wire:
        wire.send(connect("bare"))
        assert wire.closed()
    assert recent_refusals()[-1].reason.endswith("no policy is attached to the certificate")


def test_a_publish_to_a_reserved_topic_is_told(trusted: Device) -> None:
    with trusted.connected() as wire:
        wire.publish(f"$aws/things/{trusted.name}/jobs/notify", b"{}")
        assert wire.closed()
    assert "PUBLISH to the reserved topic" in recent_refusals()[-1].reason
