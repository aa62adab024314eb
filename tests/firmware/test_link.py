"""What the link does, over the oldest umqtt.simple, the first modern one and the last.

How all versions pack and unpack is in test_umqtt.py.
"""

import asyncio

import lapse
import peer as peers
from connected import message, publish, served
from fakes import until

UMQTT = ("1.3.4", "1.4.0", "1.8.0")

PREFIX = b"$aws/things/lamp/jobs/"
FILTERS = (
    (b"notify", 1),
    (b"notify-next", 1),
    (b"get/+", 0),
    (b"start-next/+", 0),
    (b"+/get/+", 0),
    (b"+/update/+", 0),
)


async def test_it_connects_subscribes_and_sends_in_one_record_a_packet():
    seen = []

    async def script(connection):
        seen.append(await connection.expect(0x10))
        await connection.send(peers.CONNACK)
        seen.append(await connection.expect(0x82))
        await connection.send(peers.SUBACK)
        seen.append(await connection.expect(0x30))
        seen.append(await connection.expect(0x30))

    peer, client = await served(script)
    client.link.publish("get", b'{"clientToken":"t"}')
    client.link.publish("a/update", b"x" * 900)
    await until(lambda: peer.scripts_done, "both requests")
    assert seen[0] == b"\0\4MQTT\4\2\0\x3c\0\6lamp-1"  # clean session, 60 s
    subscribe = b"\0\1"
    for tail, qos in FILTERS:
        subscribe += (len(PREFIX) + len(tail)).to_bytes(2, "big") + PREFIX + tail + bytes([qos])
    assert seen[1] == subscribe
    assert seen[2] == b"\0\x19" + PREFIX + b'get{"clientToken":"t"}'
    assert seen[3] == b"\0\x1e" + PREFIX + b"a/update" + b"x" * 900
    assert len(peer.records) == 4, peer.records
    assert client.log.says("connected to localhost:%d as lamp-1 in" % peer.port)


async def test_messages_are_handed_on_and_those_at_qos_1_acknowledged():
    acknowledged = []

    async def script(connection):
        await connection.welcome()
        await connection.send(message("get/accepted", b'{"a":1}'))
        await connection.send(publish("$aws/things/lamp2/jobs/notify", b"foreign"))
        await connection.send(publish("other", b"foreign", packet_id=7))
        await connection.send(
            message("notify", b"{}", packet_id=0x1234) + message("x/get/accepted", b"")
        )
        acknowledged.append(await connection.expect(0x40))
        acknowledged.append(await connection.expect(0x40))

    peer, client = await served(script)
    await until(lambda: peer.scripts_done, "both acknowledgements")
    assert client.messages == [
        ("get/accepted", b'{"a":1}'),
        ("notify", b"{}"),
        ("x/get/accepted", b""),
    ]
    assert acknowledged == [b"\0\7", b"\x12\x34"]


async def test_it_pings_after_a_quiet_period_and_stays_while_it_is_answered():
    pings = []

    async def script(connection):
        await connection.welcome()
        while True:
            pings.append(await connection.expect(0xC0))
            await connection.send(peers.PINGRESP)

    _, client = await served(script, keepalive_s=10)
    await until(lambda: len(pings) == 3, "three pings")
    assert pings == [b"", b"", b""]
    assert client.link.state == "online" and client.link.trouble is None
    assert lapse.FACTOR > 1


async def test_a_request_in_between_is_no_reason_to_miss_a_silent_peer():
    async def script(connection):
        await connection.welcome()
        await connection.expect_end()

    _, client = await served(script, keepalive_s=4)
    while not client.link.trouble:
        if client.link.state == "online":
            client.link.publish("get", b"{}")
        await asyncio.sleep_ms(400)
    assert client.link.trouble[0] == "NO_PINGRESP"


async def test_a_message_that_takes_long_shows_that_the_peer_is_there():
    slow = message("notify", b"{}" + 40 * b" ")

    async def script(connection):
        await connection.welcome()
        await connection.expect(0xC0)
        for byte in slow:
            await connection.send(bytes([byte]))
            await asyncio.sleep_ms(10)
        await connection.expect_end()

    _, client = await served(script, keepalive_s=10)  # 5 s for PINGRESP, which here are 250 ms
    await until(lambda: client.messages, "the message")
    assert client.link.trouble is None


async def test_it_says_goodbye():
    ends = []

    async def script(connection):
        await connection.welcome()
        ends.append(await connection.expect(0xE0))
        await connection.expect_end()
        ends.append("closed")

    peer, client = await served(script)
    await client.link.disconnect()
    await until(lambda: peer.scripts_done, "the goodbye")
    assert ends == [b"", "closed"]
    assert client.link.state == "offline" and not client.link.online.is_set()


async def test_it_connects_again_with_all_it_needs():
    async def script(connection):
        await connection.welcome()
        await connection.send(message("notify", b"{}", packet_id=1))
        await connection.expect(0x40)

    peer, client = await served(script)
    await until(lambda: peer.scripts_done == 3, "three connections")
    assert len(client.messages) == 3
    assert client.closed >= 2
