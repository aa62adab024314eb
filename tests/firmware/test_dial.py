"""From the name to the answered CONNECT: the right cause for each failure."""

import asyncio
import socket

import tls

import lapse
import peer as peers
from connected import Client, trouble_with
from fakes import until


async def refuse(connection):
    await connection.expect(0x10)
    raise AssertionError("a connection came about")


async def code_of(client):
    code = await client.trouble()
    client.task.cancel()
    return code


class NoPeer:
    """A peer of which only the port is known."""

    def __init__(self, port):
        self.port = port


# The network


async def test_a_name_that_does_not_exist_is_told():
    client = Client(NoPeer(8883), endpoint="no-such-host.invalid")
    assert await code_of(client) == "DNS_FAILED"
    assert "no-such-host.invalid" in client.link.trouble[1]


async def test_a_port_where_nothing_listens_is_told():
    assert await code_of(Client(NoPeer(19))) == "TCP_REFUSED"


async def test_a_host_that_does_not_answer_is_told():
    # a listening socket whose queue is full lets SYN packets go unanswered
    full = socket.socket()
    port = await bound(full)
    full.listen(0)
    queued = []
    for _ in range(3):
        queued.append(socket.socket())
        queued[-1].setblocking(False)
        try:
            queued[-1].connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        except OSError:
            pass  # EINPROGRESS
    assert await code_of(Client(NoPeer(port))) == "TCP_TIMEOUT"


async def test_a_network_that_lets_nobody_through_is_told():
    client = Client(NoPeer(8883), endpoint="255.255.255.255")  # TCP knows no broadcast
    assert await code_of(client) == "TCP_FAILED"
    assert client.link.trouble[1].startswith("255.255.255.255:8883: ")


async def bound(sock):
    port = 19_000
    while True:
        try:
            sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            return port
        except OSError:
            port += 1


# TLS: a negative test for each security claim


async def test_a_server_of_another_authority_is_refused():
    assert await trouble_with(refuse, credentials="wrong_ca") == "TLS_WRONG_CA"


async def test_a_server_of_another_name_is_refused():
    assert await trouble_with(refuse, "wrong_name") == "TLS_WRONG_NAME"


async def test_a_server_is_refused_by_another_name_of_its_host():
    assert await trouble_with(refuse, endpoint="127.0.0.1") == "TLS_WRONG_NAME"


async def test_an_expired_server_is_refused():
    assert await trouble_with(refuse, "expired") == "TLS_EXPIRED"


async def test_a_server_of_the_future_is_refused():
    assert await trouble_with(refuse, "future") == "TLS_CLOCK_BEHIND"


async def test_a_key_of_another_certificate_is_refused_by_the_server():
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)  # `credentials` would not make such a one
    key = peers.read("wrong_key/private_key.der")
    context.load_cert_chain(peers.read("board/certificate.der"), key)
    context.load_verify_locations(peers.read("ca.der"))
    assert await trouble_with(refuse, credentials=context) == "TLS_REFUSED"


async def test_a_client_that_the_server_refuses_is_told():
    assert await trouble_with(refuse, credentials="stranger") == "TLS_REFUSED"


class FailingContext:
    """TLS that fails as mbedTLS does where no test can make it."""

    def __init__(self, error):
        self._error = error

    def wrap_socket(self, sock, **options):
        raise self._error


async def test_what_tls_raises_for_want_of_memory_or_for_a_key_is_told():
    hash_ = ValueError("\nThe certificate is signed with an unacceptable hash.\n")
    for error, code in (
        (OSError(-32512, "MBEDTLS_ERR_SSL_ALLOC_FAILED"), "TLS_NO_MEMORY"),
        (MemoryError("memory allocation failed"), "TLS_NO_MEMORY"),
        (OSError(-15872, "MBEDTLS_ERR_PK_TYPE_MISMATCH"), "TLS_KEY_MISMATCH"),
        (hash_, "TLS_UNTRUSTED"),
    ):

        async def unused(connection):
            pass

        assert await trouble_with(unused, credentials=FailingContext(error)) == code, error


async def test_a_server_that_speaks_no_tls_is_told():
    async def web_server(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await writer.wait_closed()

    assert await code_of(Client(NoPeer(await peers.listen(web_server)))) == "TLS_FAILED"


async def test_a_server_that_closes_during_the_handshake_is_told():
    async def close(reader, writer):
        await reader.read(1)
        await writer.wait_closed()

    code = await code_of(Client(NoPeer(await peers.listen(close))))
    assert code in ("TLS_REFUSED", "CONNECTION_LOST"), code


async def test_a_server_that_is_silent_during_the_handshake_is_told():
    async def silence(reader, writer):
        await asyncio.sleep(600)

    assert await code_of(Client(NoPeer(await peers.listen(silence)))) == "TLS_TIMEOUT"
    assert lapse.FACTOR > 1


async def test_the_loop_goes_on_while_a_connection_is_made():
    async def silence(reader, writer):
        await asyncio.sleep(600)

    client = Client(NoPeer(await peers.listen(silence)))
    turns = 0
    while not client.link.trouble:
        turns += 1
        await asyncio.sleep_ms(20)
    assert turns > 20, turns  # a thousand on an idle machine


async def test_the_socket_of_a_failed_attempt_is_closed():
    closed = []

    async def wait_for_end(reader, writer):
        await reader.read(1000)
        await writer.drain()
        writer.write(b"\x15\x03\x03\0\x02\x02\x28")  # alert: handshake failure
        await writer.drain()
        while await reader.read(100):
            pass
        closed.append(True)

    client = Client(NoPeer(await peers.listen(wait_for_end)))
    await client.trouble()
    await until(lambda: closed, "the end of the connection")


# The answer to CONNECT


async def test_a_refusal_is_told_with_its_number():
    async def script(connection):
        await connection.expect(0x10)
        await connection.send(b"\x20\x02\0\5")
        await connection.expect_end()

    peer = await peers.Peer(script).start()
    client = Client(peer)
    assert await client.trouble() == "MQTT_REFUSED"
    assert client.link.trouble[1] == "return code 5"
    assert client.log.says("try: check client id and policy")


async def test_a_close_instead_of_an_answer_to_connect_is_told():
    async def script(connection):
        await connection.expect(0x10)

    assert await trouble_with(script) == "MQTT_CLOSED_AT_CONNECT"


async def test_silence_instead_of_an_answer_to_connect_is_told():
    async def script(connection):
        await connection.expect(0x10)
        await connection.expect_end()

    assert await trouble_with(script) == "MQTT_CONNACK_TIMEOUT"


async def test_something_else_instead_of_an_answer_to_connect_is_told():
    for answer in (
        b"\xd0\0",
        b"\x20\0",
        b"\x20\1\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + b" " * 200,
    ):

        async def script(connection):
            await connection.expect(0x10)
            await connection.send(answer)
            await connection.expect_end()

        assert await trouble_with(script) == "MALFORMED_PACKET", answer
