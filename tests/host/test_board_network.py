"""The stand-ins for network, ntptime, socket and tls."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from host_tools.board import faults
from host_tools.errors import UsageError
from tests.board_fixture import Board

CONNECT = """
import network, time
w = network.WLAN(network.WLAN.IF_STA)
def wait(condition, ms=3000):
    end = time.ticks_add(time.ticks_ms(), ms)
    while not condition() and time.ticks_diff(end, time.ticks_ms()) > 0: time.sleep_ms(5)
    return condition()
def error(function, *args):
    try: return function(*args)
    except Exception as e: return (type(e).__name__,) + e.args
w.active(True)
"""
UP = CONNECT + "w.connect('net', 'key')\nassert wait(w.isconnected)\n"


def test_connecting_takes_its_time(board):
    code = CONNECT + (
        "print(w.status())\n"
        "for _ in range(9):\n"  # a busy machine may stand still for as long as it takes
        "    w.connect('net', 'key')\n"
        "    seen = w.status(), w.isconnected(), w.ifconfig()[0]\n"
        "    if seen[0] == 1001: break\n"
        "    w.disconnect()\n"
        "print(*seen)\n"
        "print(wait(w.isconnected), w.status(), w.ifconfig()[0], w.config('ssid'))\n"
        "print(w.status('rssi') < 0); w.disconnect(); print(w.isconnected(), w.status())"
    )
    assert board.run(code).splitlines() == [
        "1000",
        "1001 False 0.0.0.0",
        "True 1010 127.0.0.1 net",
        "True",
        "False 1000",
    ]


def test_wlan_errors_are_those_of_the_port(board):
    code = CONNECT + (
        "w.active(False); print(error(w.connect, 'a', 'b')); print(error(w.scan))\n"
        "w.active(True); w.connect('a', 'b')\n"
        "print(error(w.connect, 'a', 'b')); print(error(w.connect))\n"
        "print(error(network.WLAN, 7)); print(error(w.config, 'nonsense'))\n"
        "print(error(w.status, 'x')); print(error(network.WLAN(1).status, 'rssi'))\n"
        "print(error(w.status, 'stations'))"
    )
    assert board.run(code).splitlines() == [
        "('OSError', 'Wifi Not Started')",
        "('OSError', 'STA must be active')",
        "('OSError', 'Wifi Internal State Error')",
        "('OSError', 'Wifi Internal Error')",
        "('ValueError', 'invalid WLAN interface identifier')",
        "('ValueError', 'unknown config param')",
        "('ValueError', 'unknown status param')",
        "('OSError', 'STA required')",
        "('OSError', 'AP required')",
    ]


def test_the_link_lives_through_a_soft_reset_but_not_a_hard_one(board):
    board.run(UP)
    query = (
        "import network; w = network.WLAN(); print(w.active(), w.isconnected(), w.config('ssid'))"
    )
    assert board.run(query, soft_reset=True) == "True True net"
    board.reset()
    assert board.run(query) == "False False "


@pytest.mark.parametrize(
    ("fault", "status"), [("no-ap", 201), ("wrong-password", 202), ("no-dhcp", 1001)]
)
def test_wifi_faults(board, fault, status):
    faults.press(board.files, "wifi", fault)
    code = (
        CONNECT
        + f"w.connect('net', 'key'); print(wait(lambda: w.status() == {status}), w.isconnected())"
    )
    assert board.run(code) == "True False"
    faults.release(board.files, "wifi")
    assert board.run(CONNECT + "print(wait(w.isconnected), w.status())") == "True 1010"


def test_a_dropped_link_comes_back_by_itself(board):
    board.run(UP)
    faults.press(board.files, "wifi", "drop")
    assert board.run(CONNECT + "print(w.isconnected(), w.status(), error(w.connect))") == (
        "False 1001 ('OSError', 'Wifi Internal Error')"
    )
    faults.release(board.files)
    assert board.run(CONNECT + "print(wait(w.isconnected))") == "True"


def test_reconnects_can_be_limited(board):
    faults.press(board.files, "wifi", "drop")
    code = CONNECT + (
        "w.config(reconnects=1); w.connect('net', 'key')\n"
        "print(wait(lambda: w.status() == 200), w.config('reconnects'))"
    )
    assert board.run(code) == "True 1"


def test_a_fault_that_does_not_exist_is_refused(board):
    for name, value in (("wifi", "nonsense"), ("volcano", True)):
        with pytest.raises(UsageError, match="There is no fault"):
            faults.press(board.files, name, value)
    assert faults.pressed(board.files) == {}


def test_names_cannot_be_looked_up_without_a_network(board):
    query = (
        "import socket\ntry: print(socket.getaddrinfo('localhost', 80)[0][0])\n"
        "except OSError as e: print(e.args)"
    )
    assert board.run(query) == "(-202,)"
    board.run(UP)
    assert board.run(query) == "2"


def test_ntp_sets_the_clock(board):
    query = (
        "import ntptime\ntry: ntptime.settime()\nexcept OSError as e: print(e.args)\n"
        "import time; print(time.gmtime()[0])"
    )
    assert board.run(query) == "(-202,)\n2000"
    board.run(UP)
    faults.press(board.files, "ntp", "unreachable")
    slow = query.replace("import ntptime", "import ntptime; ntptime.timeout = 0.01")
    assert board.run(slow) == "(110,)\n2000"
    faults.press(board.files, "ntp", 86400 * 366)
    now = datetime.datetime.now(datetime.UTC)
    assert board.run(query) == str((now + datetime.timedelta(days=366)).year)
    faults.release(board.files)
    assert board.run(query) == str(now.year)


# -- TLS against the board's clock


class Server:
    """A TLS echo server whose root and leaf are valid for a day around now."""

    def __init__(self, folder: Path) -> None:
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        self.root, root_key = _certificate("root", None, None, now - day, now + day)
        leaf, key = _certificate("localhost", self.root, root_key, now - day, now + day)
        pem = folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        pem.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + private)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(client,), daemon=True).start()

    def _echo(self, client: socket.socket) -> None:
        try:
            with self._context.wrap_socket(client, server_side=True) as stream:
                while data := stream.recv(1000):
                    stream.sendall(data)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()


def _certificate(name, issuer, issuer_key, start, end):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer_key or key, hashes.SHA256())
    )
    return certificate, key


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.close()


TLS = """
import socket, tls, ssl, asyncio, select
ROOT, PORT = %r, %r
def context(mode=tls.CERT_REQUIRED):
    c = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT); c.verify_mode = mode
    c.load_verify_locations(ROOT); return c
def frozen_context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.verify_mode = ssl.CERT_REQUIRED
    c.load_verify_locations(cadata=ROOT); return c
def raw():
    s = socket.socket(); s.connect(socket.getaddrinfo('127.0.0.1', PORT)[0][-1]); return s
def blocking(c):
    try: s = c.wrap_socket(raw(), server_hostname='localhost'); s.write(b'hello'); return s.read(5)
    except Exception as e: return repr(e)
def stepwise(c):
    try:
        s = c.wrap_socket(raw(), server_hostname='localhost', do_handshake_on_connect=False)
        s.setblocking(False)
        p = select.poll(); p.register(s, select.POLLIN | select.POLLOUT)
        todo, got = b'hello', b''
        for _ in range(500):
            p.poll(10)
            if todo: todo = todo[s.write(todo) or 0:]
            else: got += s.read(5) or b''
            if got == b'hello': return got
    except Exception as e: return repr(e)
async def streams(c):
    try:
        r, w = await asyncio.open_connection(
            '127.0.0.1', PORT, ssl=c, server_hostname='localhost')
        w.write(b'hello'); await w.drain(); return await r.readexactly(5)
    except Exception as e: return repr(e)
def every(c):
    print(blocking(c), stepwise(c), asyncio.run(streams(c)))
"""
FUTURE = r"ValueError('\nThe certificate validity starts in the future\n',)"
EXPIRED = r"ValueError('\nThe certificate validity has expired\n',)"
GOOD = "b'hello' b'hello' b'hello'"


def tls_code(server: Server) -> str:
    return TLS % (server.root.public_bytes(serialization.Encoding.DER), server.port)


def set_year_of(board: Board, moment: datetime.datetime) -> None:
    fields = (
        moment.year,
        moment.month,
        moment.day,
        0,
        moment.hour,
        moment.minute,
        moment.second,
        0,
    )
    board.run(f"import machine; machine.RTC().datetime({fields})")


def test_tls_is_refused_in_the_year_2000_however_it_is_done(board, server):
    code = tls_code(server)
    assert board.run(code + "every(context())") == " ".join([FUTURE] * 3)
    assert board.run(code + "every(frozen_context())") == " ".join([FUTURE] * 3)
    assert board.run(code + "every(context(tls.CERT_NONE))") == GOOD


def test_tls_is_the_real_one_when_the_clock_is_right(board, server):
    set_year_of(board, datetime.datetime.now(datetime.UTC))
    code = tls_code(server)
    assert board.run(code + "every(context())") == GOOD
    assert board.run(code + "every(frozen_context())") == GOOD
    name = "print(type(context().wrap_socket(raw(), server_hostname='localhost')).__name__)"
    assert board.run(code + name) == "SSLSocket"


def test_tls_is_refused_after_the_root_has_expired(board, server):
    set_year_of(board, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30))
    assert board.run(tls_code(server) + "every(context())") == " ".join([EXPIRED] * 3)


def test_a_wrong_root_is_still_refused_by_the_real_module(board, server, tmp_path):
    other = Server(tmp_path)
    other.close()
    set_year_of(board, datetime.datetime.now(datetime.UTC))
    server.root = other.root
    assert "not correctly signed by the trusted CA" in board.run(
        tls_code(server) + "print(blocking(context()))"
    )
