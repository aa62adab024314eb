"""Which MQTT packets end a connection to the local IoT Core, at the limits AWS has."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

import pytest

from host_tools.cloud.refusals import recent_refusals
from host_tools.cloud.rules.session import Links
from tests.mqtt_wire import (
    CONNACK,
    CONNECT,
    DISCONNECT,
    PINGREQ,
    SUBACK,
    Device,
    Wire,
    connect,
    packet,
    publish,
    subscribe,
    text,
)

_128_KB = 128 * 1024


@pytest.fixture
def wire(trusted: Device) -> Iterator[Wire]:
    with trusted.connected() as connected:
        yield connected


@pytest.mark.parametrize(
    "first",
    [packet(PINGREQ, 0, b""), publish("a", b"b"), subscribe(1, ["a"]), b"GET / HTTP/1.1\r\n" * 8],
)
def test_anything_before_connect_is_refused(trusted: Device, first: bytes) -> None:
    with trusted.open() as wire:
        wire.send(first)
        assert wire.closed()


def test_a_second_connect_is_refused(wire: Wire, trusted: Device) -> None:
    wire.send(connect(trusted.name))
    assert wire.closed()
    assert _told("CONNECT first and once", "a second CONNECT")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        text("MQTT"),
        text("MQTT") + b"\4",
        text("MQTT") + b"\4\2\0\x3c",
        text("MQIsdp") + b"\4\2\0\x3c" + text("x"),
        text("MQTT") + b"\4\3\0\x3c" + text("x"),
        text("MQTT") + b"\4\2\0\x3c\0\x10x",
    ],
    ids=[
        "empty",
        "no version",
        "no flags",
        "no client id",
        "other name",
        "reserved flag",
        "short client id",
    ],
)
def test_a_malformed_connect_is_refused(trusted: Device, body: bytes) -> None:
    with trusted.open() as wire:
        wire.send(packet(CONNECT, 0, body))
        assert wire.closed()
        wire_answers = recent_refusals()[-1]
    assert wire_answers.rule == "CONNECT first and once"


def test_a_client_id_has_at_most_128_bytes(trusted: Device) -> None:
    trusted.connected("x" * 128).__exit__()
    for client_id in ("x" * 129, "ä" * 65, "$x"):
        with trusted.open() as wire:
            wire.send(connect(client_id))
            assert wire.closed()


def test_a_payload_has_at_most_128_kb(wire: Wire) -> None:
    assert wire.subscribe("big") == [1]
    wire.publish("big", b"x" * _128_KB)
    assert wire.message() == ("big", b"x" * _128_KB)
    wire.publish("big", b"x" * (_128_KB + 1))
    assert wire.closed()
    assert _told("payload size", "a payload over 131072 bytes")


def test_legal_packets_in_one_write_are_all_served(wire: Wire) -> None:
    assert wire.subscribe("big") == [1]
    wire.send(publish("big", b"x" * _128_KB) * 3)
    assert [wire.message()[0] for _ in range(3)] == ["big"] * 3


def test_a_packet_far_too_large_is_not_waited_for(wire: Wire) -> None:
    with contextlib.suppress(OSError):  # it may be closed before all is sent
        wire.send(publish("big", b"x" * 1_000_000)[:600_000])
    assert wire.closed()


def test_qos_2_is_refused(wire: Wire) -> None:
    wire.send(publish("a", b"b", qos=2))
    assert wire.closed()


@pytest.mark.parametrize("topic", ["1/2/3/4/5/6/7/8", "$aws/rules/r/1/2/3/4/5/6/7/8"])
def test_a_topic_may_have_7_slashes(wire: Wire, topic: str) -> None:
    wire.publish(topic, b"x")
    assert wire.alive()
    wire.publish(topic + "/9", b"x")
    assert wire.closed()


def test_a_filter_may_have_7_slashes(wire: Wire) -> None:
    assert wire.subscribe("1/2/3/4/5/6/7/8") == [1]
    wire.send(subscribe(9, ["1/2/3/4/5/6/7/8/9"]))
    assert wire.closed()


@pytest.mark.parametrize("bad", ["a/#/b", "a+", "a/b#", "", "x" * 257])
def test_a_filter_that_is_none_is_refused(wire: Wire, bad: str) -> None:
    wire.send(subscribe(1, [bad]))
    assert wire.closed()


def test_a_subscribe_may_have_8_filters(wire: Wire) -> None:
    assert wire.subscribe(*"abcdefgh") == [1] * 8
    wire.send(subscribe(2, "abcdefghi"))
    assert wire.closed()
    assert _told("filters per SUBSCRIBE", "9 filters, at most 8")


def test_a_subscribe_without_filters_is_refused(wire: Wire) -> None:
    wire.send(subscribe(1, []))
    assert wire.closed()


def test_a_connection_may_have_50_subscriptions(wire: Wire) -> None:
    for number in range(50):
        assert wire.subscribe(f"n/{number}") == [1]
    assert wire.subscribe("n/0", "n/1") == [1, 1]  # repeated ones do not count twice
    wire.send(subscribe(99, ["n/50"]))
    assert wire.closed()


def test_a_repeated_subscription_replaces_the_earlier_one(wire: Wire) -> None:
    assert wire.subscribe("twice", qos=1) == [1]
    assert wire.subscribe("twice", "twice", qos=0) == [0, 0]
    wire.publish("twice", b"x")
    assert wire.messages() == [("twice", b"x")]


def test_mqtt_5_clients_are_told_the_reason(trusted: Device) -> None:
    with trusted.open() as wire:
        wire.send(connect("x" * 129, version=5))
        kind, _, body = wire.packet()
        assert (kind, body[1]) == (CONNACK, 0x85)
    with trusted.open() as wire:
        wire.send(connect(trusted.name, version=5))
        assert wire.packet()[2][1] == 0
        wire.send(subscribe(1, "abcdefgh", version=5))
        kind, _, body = wire.packet()
        assert (kind, body[3:]) == (SUBACK, bytes([1] * 8))
        wire.send(subscribe(2, "abcdefghi", version=5))
        kind, _, body = wire.packet()
        assert (kind, body[0]) == (DISCONNECT, 0x97)


@pytest.mark.parametrize(
    ("asked", "counts"), [(0, 1200), (1, 30), (29, 30), (30, 30), (1200, 1200), (65535, 1200)]
)
def test_keep_alive_is_30_to_1200_seconds(asked: int, counts: int) -> None:
    assert Links(30).keepalive_s(asked) == counts


def test_a_packet_cut_anywhere_is_waited_for(trusted: Device) -> None:
    whole = connect(trusted.name) + subscribe(1, ["a"])
    for cut in (1, 2, 9, len(whole) - 1):
        with trusted.open() as wire:
            wire.send(whole[:cut])
            wire.send(whole[cut:])
            assert wire.packet() == (CONNACK, 0, b"\0\0")
            assert wire.packet() == (SUBACK, 0, struct.pack("!HB", 1, 1))


def _told(rule: str, reason: str) -> bool:
    return any((refusal.rule, refusal.reason) == (rule, reason) for refusal in recent_refusals())
