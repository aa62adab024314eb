import asyncio
import gc
import io
import time

from sandbox.errors import LinkError
from sandbox.stream import Stream

from fakes import raises, raises_async, until

_POLL = 3
_READ, _WRITE = 1, 4


class FakeSocket(io.IOBase):
    """A non-blocking socket: pieces that arrive one a read, room for what is written."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.written = []
        self.room = 10**6  # bytes that a write takes
        self.closed = 0

    def readinto(self, buffer):
        if not self.pieces:
            return None
        piece = self.pieces[0]
        count = min(len(piece), len(buffer))
        buffer[:count] = piece[:count]
        self.pieces[0] = piece[count:]
        if not self.pieces[0]:
            self.pieces.pop(0)
        return count

    def read(self, size):
        assert size == 0, "the raw socket is only waited for"
        return b""

    def write(self, data):
        count = min(len(data), self.room)
        self.room -= count
        if count:
            self.written.append(bytes(data[:count]))
        return count or None

    def ioctl(self, request, flags):
        ready = (_READ if self.pieces else 0) | (_WRITE if self.room else 0)
        return ready & flags if request == _POLL else 0

    def close(self):
        self.closed += 1


def over(socket, limit):
    """A stream over a socket that is its own raw one."""
    return Stream(socket, socket, limit)


def header(size):
    """The beginning of a PUBLISH packet whose body has `size` bytes."""
    length = b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return b"\x30" + length + bytes([size])


def publish(size, fill=b"x"):
    return header(size) + fill * size


async def received(stream):
    packet, start, size = await stream.receive()
    packet = bytes(packet)
    stream.done()
    return packet, start, size


async def test_a_packet_split_anywhere_is_received_whole():
    packet, after = publish(200), b"\xd0\0"
    for at in range(1, len(packet)):
        stream = over(FakeSocket(packet[:at], packet[at:] + after), 1000)
        assert await received(stream) == (packet, 3, 200), at
        assert await received(stream) == (after, 2, 0), at


async def test_a_packet_that_comes_byte_by_byte_is_received_whole():
    packet = publish(130)
    stream = over(FakeSocket(*[bytes([byte]) for byte in packet]), 1000)
    assert await received(stream) == (packet, 3, 130)


async def test_several_packets_in_one_read_come_one_by_one():
    packets = [publish(10, b"a"), b"\xd0\0", publish(300, b"b"), b"\x90\x03\0\1\0"]
    stream = over(FakeSocket(b"".join(packets)), 1000)
    for packet in packets:
        assert (await received(stream))[0] == packet


async def test_what_tls_holds_is_read_though_the_raw_socket_shows_nothing():
    class Once(FakeSocket):
        def ioctl(self, request, flags):
            return len(self.pieces) and self.pieces.pop() and flags

    packets = [publish(600, b"a"), publish(900, b"b"), publish(1500, b"c")]
    stream = Stream(FakeSocket(b"".join(packets)), Once(b"x"), 2000)
    for packet in packets:
        assert (await received(stream))[0] == packet


async def test_a_flood_lets_others_have_their_turns():
    turns = 0

    async def other():
        nonlocal turns
        while True:
            await asyncio.sleep_ms(0)
            turns += 1

    task = asyncio.create_task(other())
    stream = over(FakeSocket(publish(500) * 20), 1000)
    for _ in range(20):
        await received(stream)
    task.cancel()
    assert turns >= 9


async def test_an_oversized_packet_is_cut_and_the_next_one_is_read():
    huge = publish(5000)
    stream = over(FakeSocket(huge + b"\xd0", b"\0"), 2000)
    packet, start, size = await received(stream)
    assert (start, size) == (3, 5000)
    assert packet == huge[: len(packet)] and len(packet) < len(huge)
    assert await received(stream) == (b"\xd0\0", 2, 0)


async def test_a_packet_at_the_limit_is_held_and_one_byte_more_is_not():
    for size, held in ((2997, True), (2998, False)):
        stream = over(FakeSocket(publish(size)), 3000)
        packet, start, _ = await received(stream)
        assert (len(packet) == start + size) is held, size


async def test_an_oversized_packet_takes_no_memory():
    pieces = [header(120_000)] + [bytes(1000)] * 120
    stream = over(FakeSocket(*pieces), 130_000)
    packet, start, size = await stream.receive()
    assert size == 120_000, "more than the heap has"
    assert len(packet) < 2000


async def test_the_buffer_grows_for_a_large_packet_and_shrinks_again():
    def used():
        gc.collect()
        return gc.mem_alloc()

    socket = FakeSocket()
    stream = over(socket, 20_000)
    before = used()
    socket.pieces = [publish(15_000)]
    packet, _, _ = await stream.receive()
    assert used() > before + 15_000
    del packet
    stream.done()
    socket.pieces = [b"\xd0\0"]
    await stream.receive()
    del socket.pieces[:]
    assert used() < before + 2000


async def test_a_receive_that_is_cancelled_loses_nothing():
    packet = publish(500)
    socket = FakeSocket(packet[:100])
    stream = over(socket, 1000)
    await raises_async(asyncio.TimeoutError, asyncio.wait_for_ms(stream.receive(), 5))
    socket.pieces.append(packet[100:])
    assert await received(stream) == (packet, 3, 500)


async def test_a_packet_that_comes_just_when_the_wait_ends_is_not_lost():
    class Slow(FakeSocket):
        def readinto(self, buffer):
            time.sleep_ms(20)
            return super().readinto(buffer)

    for packet in (publish(500), publish(5000)):
        stream = over(Slow(packet + b"\xd0\0"), 1000)
        await raises_async(asyncio.TimeoutError, asyncio.wait_for_ms(stream.receive(), 10))
        assert (await received(stream))[1:] == (3, len(packet) - 3)
        assert await received(stream) == (b"\xd0\0", 2, 0)


async def test_a_packet_is_handed_out_until_it_is_done_with():
    stream = over(FakeSocket(publish(20) + b"\xd0\0"), 1000)
    first = bytes((await stream.receive())[0])
    assert bytes((await stream.receive())[0]) == first
    stream.done()
    assert (await received(stream))[0] == b"\xd0\0"


async def test_a_receive_that_is_cancelled_while_it_drains_goes_on():
    socket = FakeSocket(publish(5000)[:3000])
    stream = over(socket, 1000)
    await received(stream)
    await raises_async(asyncio.TimeoutError, asyncio.wait_for_ms(stream.receive(), 5))
    socket.pieces.append(b"x" * 2003 + b"\xd0\0")
    assert await received(stream) == (b"\xd0\0", 2, 0)


async def test_whatever_comes_is_heard():
    stream = over(FakeSocket(publish(50)[:20]), 1000)
    stream.heard = False
    await raises_async(asyncio.TimeoutError, asyncio.wait_for_ms(stream.receive(), 5))
    assert stream.heard


async def test_the_peers_end_is_a_link_error():
    for before in (b"", b"\x30", publish(50)[:20]):
        stream = over(FakeSocket(*[before] if before else []), 1000)
        stream.sock.pieces.append(b"")
        error = await raises_async(LinkError, stream.receive())
        assert error.args[0] == "CLOSED_BY_PEER"


async def test_a_length_of_five_bytes_is_malformed():
    stream = over(FakeSocket(b"\x30\xff\xff\xff\xff\x01"), 1000)
    error = await raises_async(LinkError, stream.receive())
    assert error.args[0] == "MALFORMED_PACKET"


async def test_the_largest_length_of_four_bytes_is_understood():
    stream = over(FakeSocket(b"\x30\xff\xff\xff\x7f" + b"x" * 2000), 1000)
    _, start, size = await received(stream)
    assert (start, size) == (5, 268_435_455)


def test_what_is_sent_goes_out_in_one_write():
    socket = FakeSocket()
    over(socket, 1000).send(memoryview(b"packet"))
    assert socket.written == [b"packet"]


async def test_what_the_socket_does_not_take_at_once_follows_in_order():
    socket = FakeSocket()
    socket.room = 2
    stream = over(socket, 1000)
    packet = bytearray(b"packet")
    stream.send(memoryview(packet))
    packet[:] = b"spoilt"  # the wire is used again
    stream.send(b"behind")
    while stream.unsent:
        await asyncio.sleep_ms(2)
        socket.room = 3
    assert b"".join(socket.written) == b"packetbehind"
    socket.room = 3
    stream.send(b"later")
    assert socket.written[-1] == b"lat"
    socket.room = 10
    await until(lambda: not stream.unsent)
    assert socket.written[-1] == b"er"
    assert stream.trouble is None


async def test_a_socket_that_takes_nothing_is_a_send_timeout():
    socket = FakeSocket()
    socket.room = 0
    stream = over(socket, 1000)
    stream.send(b"packet")
    stream.send(b"behind")
    await until(lambda: stream.trouble, "trouble")
    assert stream.trouble.args[0] == "SEND_TIMEOUT"


async def test_a_broken_connection_is_trouble():
    class Broken(FakeSocket):
        def write(self, data):
            raise OSError(104)

    stream = over(Broken(), 1000)
    stream.send(b"packet")
    await until(lambda: stream.trouble, "trouble")
    assert stream.trouble.errno == 104


async def test_a_packet_whose_rest_finds_no_room_is_trouble():
    socket = FakeSocket()
    socket.room = 10
    stream = over(socket, 1000)
    large = bytearray(gc.mem_free() * 2 // 3)
    raises(MemoryError, stream.send, memoryview(large))
    assert isinstance(stream.trouble, MemoryError)
    stream.send(b"behind")
    assert len(b"".join(socket.written)) == 10, "nothing follows half a packet"


async def test_what_is_unsent_when_it_is_closed_is_forgotten():
    socket = FakeSocket()
    socket.room = 0
    stream = over(socket, 1000)
    stream.send(b"packet")
    await asyncio.sleep_ms(1)
    stream.close()
    await asyncio.sleep_ms(5)
    socket.room = 10
    await asyncio.sleep_ms(5)
    assert not b"".join(socket.written) and stream.trouble is None


async def test_it_may_be_closed_twice():
    socket = FakeSocket()
    stream = over(socket, 1000)
    stream.close()
    stream.close()
    assert socket.closed == 2
