from sandbox.wire import Wire


def test_pieces_gather_into_one_packet():
    wire = Wire()
    assert wire.write(b"\xc0\0\0\0", 2) == 2
    wire.write(bytearray(b"ab"))
    assert bytes(wire.packet()) == b"\xc0\0ab"
    assert bytes(wire.packet()) == b""


def test_a_packet_larger_than_the_room_grows_for_a_moment():
    wire = Wire()
    wire.write(b"head")
    wire.write(b"x" * 5000)
    assert bytes(wire.packet()) == b"head" + b"x" * 5000
    wire.write(b"small")
    assert bytes(wire.packet()) == b"small"


def test_reading_takes_the_offered_packet_piece_by_piece():
    wire = Wire()
    wire.offer(b"\x30\x05\0\1abc")
    assert wire.read(1) == b"\x30"
    assert wire.read(3) == b"\x05\0\1"
    assert bytes(wire.read(10)) == b"abc"
    assert bytes(wire.read(1)) == b""


def test_the_payload_is_a_view_and_no_copy():
    packet = bytearray(b"headpayload")
    wire = Wire()
    wire.offer(packet)
    wire.read(4)
    payload = wire.read(7)
    packet[4:5] = b"P"
    assert bytes(payload) == b"Payload"
