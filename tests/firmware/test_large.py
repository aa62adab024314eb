"""Messages that go through flash, over a real link: whole, or not at all."""

import asyncio
import os

from sandbox import large

import flash
import lapse
import peer as peers
from connected import Client, message, served
from fakes import until

LIMIT = 8192
PIECE = 1000
_PATTERN = bytes(range(251))


def content(size):
    """A payload in which a piece that is lost, doubled or moved is seen."""
    return (_PATTERN * (size // len(_PATTERN) + 1))[:size]


async def send(connection, tail, size, packet_id=0):
    """Send a message, piece by piece, whose payload is more than a test can hold, too."""
    head = message(tail, b"", packet_id)[2:]  # without type and length
    length = b""
    left = len(head) + size
    while left > 0x7F:
        length += bytes([left & 0x7F | 0x80])
        left >>= 7
    first = bytes([0x32 if packet_id else 0x30]) + length + bytes([left])
    await connection.send(first + head)
    for at in range(0, size, PIECE):
        await connection.send(bytes(min(PIECE, size - at)))


async def accepted(connection):
    """Take PUBACK."""
    return await connection.expect(0x40)


async def test_it_comes_whole_through_flash_whatever_its_size():
    # `handshake` lets the heap hold 2048 bytes, `stream` reads 512
    sizes = [2048 + more for more in (-60, -1, 0, 1, 500)] + [1023, 1025, 4096]
    sizes.append(LIMIT - len("$aws/things/lamp/jobs/notify") - 2 - 2)
    acknowledged = []

    async def script(connection):
        await connection.welcome()
        for number, size in enumerate(sizes):
            await connection.send(message("notify", content(size), packet_id=256 + number))
            acknowledged.append(await accepted(connection))
        await connection.expect_end()

    _, client = await served(script, receive_limit=LIMIT)
    await until(lambda: len(acknowledged) == len(sizes), "the last message")
    for (tail, payload), size in zip(client.messages, sizes):
        assert (tail, len(payload)) == ("notify", size)
        assert payload == content(size), size
    assert acknowledged == [bytes([1, number]) for number in range(len(sizes))]
    assert os.stat(large.PATH)[6] == sizes[-1], "the largest went through flash"
    assert client.oversized == [] and client.link.trouble is None


async def test_it_comes_whole_when_it_comes_in_drops():
    whole = message("start-next/accepted", content(6000))

    async def script(connection):
        await connection.welcome()
        for at in range(0, len(whole), 77):
            await connection.send(whole[at : at + 77])
            await asyncio.sleep_ms(1)
        await connection.send(message("notify", b"{}"))
        await connection.expect_end()

    _, client = await served(script)
    await until(lambda: len(client.messages) == 2, "the message behind it")
    assert client.messages == [("start-next/accepted", content(6000)), ("notify", b"{}")]


async def test_a_foreign_one_is_acknowledged_and_not_handed_on():
    async def script(connection):
        await connection.welcome()
        foreign = bytearray(message("notify", content(6000), packet_id=5))
        foreign[foreign.index(b"lamp")] = ord("d")
        await connection.send(bytes(foreign))
        assert await accepted(connection) == b"\0\5"
        await connection.send(message("notify", b"{}"))

    _, client = await served(script)
    await until(lambda: client.messages, "the message behind it")
    assert client.messages == [("notify", b"{}")] and client.oversized == []


async def test_a_link_that_ends_in_its_middle_leaves_nothing_to_be_handed_on():
    async def script(connection):
        await connection.welcome()
        await connection.send(message("start-next/accepted", content(6000))[:3000])

    peer, client = await served(script)
    assert await client.trouble() in ("CLOSED_BY_PEER", "CONNECTION_LOST", "PUBLISH_CLOSED")
    peer.check()
    assert client.messages == [], "half a message is none"
    assert client.oversized == [], "and the job is not rejected for it"


async def test_a_connection_that_breaks_is_not_taken_for_a_full_flash():
    class Broken:
        left = 5000

        def done(self):
            pass

        async def more(self):
            raise OSError(104)

    packet = memoryview(message("start-next/accepted", content(PIECE)))
    try:
        await large.keep(Broken(), packet, 3, 6000, LIMIT)
        raise AssertionError("it was taken")
    except OSError as error:
        assert error.errno == 104
    with open(large.PATH, "wb"):
        pass  # it was closed, and can be written again


async def test_a_rest_that_does_not_come_ends_the_link_in_time():
    async def script(connection):
        await connection.welcome()
        await connection.send(message("notify", content(6000), packet_id=1)[:3000])
        await connection.expect_end()

    peer, client = await served(script, keepalive_s=1200)
    assert await client.trouble() == "NO_PINGRESP"
    assert "bytes of a message did not come" in client.link.trouble[1]
    peer.check()
    assert client.messages == [] and lapse.FACTOR > 1


async def test_a_full_flash_throws_it_away_and_the_link_goes_on():
    async def script(connection):
        await connection.welcome()
        await connection.send(message("notify", content(6000), packet_id=7))
        assert await accepted(connection) == b"\0\7"
        flash.root.simulate_full(False)
        await connection.send(message("notify", content(6000), packet_id=8))
        assert await accepted(connection) == b"\0\x08"

    peer = await peers.Peer(script).start()
    client = Client(peer)
    flash.root.simulate_full()
    await until(lambda: peer.scripts_done or peer._failure, "both messages")
    peer.check()
    assert client.oversized == ["notify"]
    assert client.messages == [("notify", content(6000))]
    assert client.log.says("no room for a message of 60")


async def test_a_flash_that_fills_up_meanwhile_throws_it_away():
    async def script(connection):
        await connection.welcome()
        await send(connection, "notify", 30_000, packet_id=9)  # more than the flash has
        assert await accepted(connection) == b"\0\x09"
        await connection.send(message("notify", content(6000)))

    peer, client = await served(script, receive_limit=40_000)
    await until(lambda: client.messages or peer._failure, "the message behind it")
    peer.check()
    assert client.oversized == ["notify"]
    assert client.messages == [("notify", content(6000))]


async def test_one_over_the_limit_is_thrown_away_without_touching_the_flash():
    async def script(connection):
        await connection.welcome()
        await send(connection, "start-next/accepted", LIMIT)
        await send(connection, "notify", 130_000, packet_id=3)
        assert await accepted(connection) == b"\0\3"
        await connection.send(message("notify-next", b"{}"))

    large.make_folder(large.STATE)
    operations = flash.root.operations
    peer, client = await served(script, receive_limit=LIMIT)
    await until(lambda: client.messages or peer._failure, "the message behind them")
    peer.check()
    assert client.oversized == ["start-next/accepted", "notify"]
    assert client.messages == [("notify-next", b"{}")]
    assert flash.root.operations == operations


async def test_a_link_that_fails_in_the_middle_of_a_long_message_is_made_again():
    async def script(connection):
        await connection.welcome()
        await connection.send(message("notify", content(6000))[:3000])
        await connection.expect_end()
        connected.append(True)

    connected = []
    for trouble in (None, MemoryError("no room")):
        _, client = await served(script, keepalive_s=2 if trouble is None else 1200)
        await until(lambda: client.link.stream and client.link.stream.left, "half a message")
        client.link.stream.trouble = trouble
        for times in (1, 2):  # what waits inside the link is cancelled more than once
            await until(lambda: len(connected) >= times, "another connection")
        assert not client.task.done()
        client.task.cancel()
        connected.clear()
