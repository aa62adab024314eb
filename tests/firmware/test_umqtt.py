"""Every interface that umqtt.simple has had packs and unpacks on the wire as the link needs it."""

from sandbox import client as umqtt
from sandbox.wire import ERRORS, Wire

from connected import config, publish
from fakes import raises

LONGEST_ID = "t" * 128
UMQTT = ("1.3.4", "1.4.0", "1.5.0", "1.6.0", "1.7.1", "1.8.0")


def connected():
    """Return the wire, and umqtt's client on it as `client` makes it, its CONNECT taken out."""
    wire = Wire()
    client = umqtt.make(config(8883), wire)
    assert bytes(wire.packet()) == b"\x10\x12\0\4MQTT\4\2\0\x3c\0\6lamp-1"
    return wire, client


def test_connect_has_the_client_id_and_the_keep_alive():
    wire = Wire()
    umqtt.make(config(8883, keepalive_s=1200), wire)
    assert bytes(wire.packet()) == b"\x10\x12\0\4MQTT\4\2\x04\xb0\0\6lamp-1"


def test_connect_takes_the_longest_client_id():
    wire = Wire()
    umqtt.make(config(8883, client_id=LONGEST_ID), wire)
    packet = bytes(wire.packet())
    assert packet[:3] == b"\x10\x8c\1"  # 140 bytes follow
    assert packet[-130:] == b"\0\x80" + LONGEST_ID.encode()


def test_what_it_sends_is_one_packet_in_the_wire():
    wire, client = connected()
    for send, packet in (
        (client.ping, b"\xc0\0"),
        (lambda: client.publish(b"topic", b"payload"), b"\x30\x0e\0\5topicpayload"),
        (lambda: client.publish(b"t", b"x" * 200), b"\x30\xcb\1\0\1t" + b"x" * 200),
        (client.disconnect, b"\xe0\0"),
    ):
        send()
        assert bytes(wire.packet()) == packet, packet


def test_what_it_receives_is_handed_on_and_acknowledged():
    wire, client = connected()
    got = []
    client.set_callback(lambda topic, payload: got.append((bytes(topic), bytes(payload))))
    for packet, acknowledgement in (
        (publish("a/b", b"payload"), b""),
        (publish("a", b"x" * 300), b""),
        (publish("a", b"", packet_id=0x1234), b"\x40\2\x12\x34"),
        (publish("a", b"1", packet_id=1), b"\x40\2\0\1"),
    ):
        wire.offer(packet)
        client.wait_msg()
        assert bytes(wire.packet()) == acknowledgement
    assert got == [(b"a/b", b"payload"), (b"a", b"x" * 300), (b"a", b""), (b"a", b"1")]


def test_a_second_connection_needs_nothing_of_the_first():
    connected()
    wire, client = connected()
    client.ping()
    assert bytes(wire.packet()) == b"\xc0\0"


def test_broken_packets_end_in_the_errors_that_the_link_expects():
    wire, client = connected()
    client.set_callback(lambda topic, payload: None)
    for packet in (b"\x30\0", b"\x30\1\0", b"\x30", b"\x32\3\0\1a", b"\x34\7\0\1x\0\1ab"):
        wire.offer(packet)
        raises(ERRORS, client.wait_msg)
