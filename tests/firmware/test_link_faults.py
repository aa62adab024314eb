"""What ends a connection, and by which code the link tells it."""

import asyncio
import io
import time

from sandbox import link
from sandbox.errors import LinkError

import lapse
import peer as peers
from connected import Client, message, served, trouble_with
from fakes import raises, until

UMQTT = ("1.3.4", "1.8.0")
_NAP_MS = 100


class Lateness:
    """By how many ms a task has been woken too late, since the machine is busy."""

    def __init__(self) -> None:
        self.ms = 0
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            began = time.ticks_ms()
            await asyncio.sleep_ms(_NAP_MS)
            late_ms = time.ticks_diff(time.ticks_ms(), began) - _NAP_MS
            if late_ms > _NAP_MS:
                self.ms += late_ms


# Subscribing


async def test_a_refused_subscription_is_told():
    async def script(connection):
        await connection.expect(0x10)
        await connection.send(peers.CONNACK)
        await connection.expect(0x82)
        await connection.send(b"\x90\x08\0\x01\x01\x01\0\x80\0\0")
        await connection.expect_end()

    assert await trouble_with(script) == "SUBSCRIBE_REFUSED"


async def test_a_close_instead_of_an_answer_to_subscribe_is_told():
    async def script(connection):
        await connection.expect(0x10)
        await connection.send(peers.CONNACK)
        await connection.expect(0x82)

    assert await trouble_with(script) == "SUBSCRIBE_CLOSED"


async def test_silence_instead_of_an_answer_to_subscribe_is_told():
    async def script(connection):
        await connection.expect(0x10)
        await connection.send(peers.CONNACK)
        await connection.expect_end()

    assert await trouble_with(script) == "SUBACK_TIMEOUT"


# Online


async def test_a_ping_without_answer_is_told():
    async def script(connection):
        await connection.welcome()
        await connection.expect(0xC0)
        await connection.expect_end()

    assert await trouble_with(script, keepalive_s=2) == "NO_PINGRESP"


async def test_a_network_that_goes_silent_is_noticed_within_one_and_a_half_periods():
    async def script(connection):
        await connection.welcome()
        await connection.expect_end()

    peer, client = await served(script, keepalive_s=20)
    peer.frozen = True
    lateness = Lateness()
    began = time.ticks_ms()
    assert await client.trouble() == "NO_PINGRESP"
    waited_ms = time.ticks_diff(time.ticks_ms(), began)
    assert 20_000 <= waited_ms <= 30_000 + 3_000 + lateness.ms, waited_ms


async def test_who_asks_for_a_check_gets_it_soon():
    async def script(connection):
        await connection.welcome()
        await connection.expect(0xC0)

    peer, client = await served(script, keepalive_s=1000)
    client.link.check()
    await until(lambda: peer.scripts_done, "a ping")


async def test_a_close_soon_after_a_request_hints_at_the_policy():
    async def script(connection):
        await connection.welcome()
        await connection.expect(0x30)

    _, client = await served(script)
    client.link.since += 60_000  # however busy the machine is
    client.link.publish("get", b"{}")
    assert await client.trouble() == "PUBLISH_CLOSED"


async def test_a_close_after_a_while_is_only_a_close():
    async def script(connection):
        await connection.welcome()
        await connection.expect(0x30)

    _, client = await served(script)
    client.link.since -= 3000
    client.link.publish("get", b"{}")
    assert await client.trouble() == "CLOSED_BY_PEER"


async def test_connections_that_end_again_and_again_are_told():
    async def script(connection):
        await connection.welcome()

    _, client = await served(script)
    await until(lambda: client.link.failures >= 3, "three ends")
    codes = [text.split(":")[0] for level, _, text in client.log.entries if level == "warning"]
    codes = [code for code in codes if code != "try"]
    assert codes.index("DROPPED_REPEATEDLY") == 2, codes
    assert client.log.says("another client uses this client id")


async def test_what_is_no_mqtt_is_told():
    for garbage in (
        b"\x00\x00",
        b"\xf0\x05hello",
        b"\x30\x00",  # no topic
        b"\x30\x01\x00",
        b"\x30\xff\xff\xff\xff\xff",
        b"\x34\x07\0\1x\0\1ab",  # QoS 2
        b"\x10\x00",
    ):

        async def script(connection):
            await connection.welcome()
            await connection.send(garbage)
            await connection.expect_end()

        assert await trouble_with(script) == "MALFORMED_PACKET", garbage


async def test_a_topic_that_is_no_utf8_does_not_stop_the_link_for_good():
    async def script(connection):
        await connection.welcome()
        topic = b"$aws/things/lamp/jobs/\xff\xfe"
        await connection.send(bytes([0x30, len(topic) + 2, 0, len(topic)]) + topic)
        await connection.send(message("notify", b"{}"))
        await connection.expect_end()

    peer = await peers.Peer(script).start()
    client = Client(peer)
    await until(lambda: client.messages or client.link.trouble)
    assert client.messages or client.link.trouble[0] == "MALFORMED_PACKET"
    assert not client.task.done()


async def test_an_oversized_message_is_thrown_away_acknowledged_and_told():
    acknowledged = []

    async def script(connection):
        await connection.welcome()
        await connection.send(message("start-next/accepted", b"x" * 5000))
        await connection.send(message("notify", b"x" * 5000, packet_id=0x1234))
        acknowledged.append(await connection.expect(0x40))
        await connection.send(message("notify-next", b"{}"))

    peer, client = await served(script, receive_limit=1024)
    await until(lambda: client.messages, "the message behind")
    assert client.oversized == ["start-next/accepted", "notify"]
    assert acknowledged == [b"\x12\x34"]
    assert client.messages == [("notify-next", b"{}")]
    assert client.log.says("no room for a message of 50")


async def test_a_message_that_takes_all_memory_is_told():
    async def script(connection):
        await connection.welcome()
        await connection.send(message("notify", b"{}"))
        await connection.expect_end()

    def take(tail, payload):
        raise MemoryError("memory allocation failed, allocating 9000 bytes")

    client = Client(await peers.Peer(script).start())
    client.link.on_message = take
    assert await client.trouble() == "OUT_OF_MEMORY" and client.log.says("OUT_OF_MEMORY")
    assert client.log.says("OUT_OF_MEMORY: the heap had no room (memory allocation failed")


async def test_the_largest_message_is_held():
    async def script(connection):
        await connection.welcome()
        await connection.send(message("notify", b"x" * 12_000))
        await connection.expect_end()

    _, client = await served(script)
    await until(lambda: client.messages, "the message")
    assert len(client.messages[0][1]) == 12_000


# Requests


async def test_a_request_while_offline_is_refused_at_once():
    async def script(connection):
        await connection.expect_end()

    client = Client(await peers.Peer(script).start())
    error = raises(LinkError, client.link.publish, "get", b"{}")
    assert error.args[0] == "Offline"


class DeadSocket(io.IOBase):
    """Takes no more data."""

    def __init__(self, error) -> None:
        self._error = error

    def write(self, data):
        if self._error:
            raise self._error

    def readinto(self, room):
        return None

    def ioctl(self, request, flags):
        return 0

    def close(self):
        pass


async def test_a_request_that_cannot_be_sent_ends_the_connection():
    async def script(connection):
        await connection.welcome()
        await connection.expect_end()

    for error, code in ((OSError(104), "CONNECTION_LOST"), (None, "SEND_TIMEOUT")):
        _, client = await served(script)
        client.link.since -= 3000
        client.link.stream.sock = DeadSocket(error)
        client.link.publish("get", b"{}")
        assert await client.trouble() == code
        client.task.cancel()


# Trying again


async def test_failures_are_counted_and_the_pause_is_told():
    async def script(connection):
        await connection.expect(0x10)

    client = Client(await peers.Peer(script).start())
    await until(lambda: client.link.failures == 2, "two failures")
    assert client.log.says("next attempt in ")
    assert client.link.state in ("offline", "connecting")


async def test_only_a_stable_connection_resets_the_count():
    async def script(connection):
        await connection.welcome()
        await connection.expect(0x30)

    for drops, lasted_ms, failures, code in (
        (2, 30_000, 6, "DROPPED_REPEATEDLY"),
        (2, 61_000, 1, "CLOSED_BY_PEER"),
        (0, 5_000, 6, "CLOSED_BY_PEER"),  # the service was away, that is no drop
        (0, 30_000, 1, "CLOSED_BY_PEER"),
    ):
        _, client = await served(script)
        client.link.failures, client.link.drops = 5, drops
        client.link.since -= lasted_ms
        client.link.publish("get", b"{}")
        assert await client.trouble() == code, (drops, lasted_ms)
        assert client.link.failures == failures, (drops, lasted_ms)
        client.task.cancel()


async def test_how_long_it_is_offline_counts_over_attempts():
    async def script(connection):
        await connection.expect(0x10)

    client = Client(await peers.Peer(script).start())
    await until(lambda: client.link.failures == 3, "three failures")
    assert client.link.age_ms() >= 2000, "two pauses"


async def test_a_network_that_does_not_come_up_is_trouble_too():
    async def no_network(trouble):
        raise LinkError("WIFI_NO_AP", "home")

    client = Client(await peers.Peer(None).start())
    client.link._prepare = no_network
    assert await client.trouble() == "WIFI_NO_AP"
    assert client.log.says("the Wi-Fi network is not in reach, or its name is wrong (home)")
    assert asyncio and lapse.FACTOR > 1


async def test_a_failure_that_there_is_no_room_to_explain_is_one_all_the_same():
    def crowded(name):
        if name == "causes":
            link.borrow = real
            raise MemoryError
        return real(name)

    async def script(connection):
        await connection.welcome()

    real, link.borrow = link.borrow, crowded
    peer, client = await served(script)
    assert await client.trouble() == "OUT_OF_MEMORY" and client.log.says("OUT_OF_MEMORY")
    await until(lambda: client.log.says("PUBLISH_CLOSED"), "the next attempt")
    assert peer.port and client.link.again - client.log.uptime_ms() < 5000
    client.task.cancel()
