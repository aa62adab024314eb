"""Behaves towards its socket as umqtt.simple 1.4 to 1.8 do, which no package index has.

Which of them, the third word of the command line says. The differences that matter to the link:

- 1.4  `ssl=` is an object with wrap_socket(sock, server_hostname=); there is no `ssl_params`;
- 1.5  connect() takes a time-out, which it sets on the socket even when it is None;
- 1.6  `ssl=True` with `ssl_params` is back;
- 1.7.1  connect() closes the socket that it had before;
- 1.8  subscribe() takes topics of more than 122 bytes.

As in all of them a packet goes out in several writes, reads are of one, two and four bytes, and a
broken packet ends in whatever exception happens to come.
"""

import socket
import struct
import sys

_VERSION = tuple(int(part) for part in sys.argv[3].split("."))


class MQTTException(Exception):
    pass


class MQTTClient:
    def __init__(
        self,
        client_id,
        server,
        port=0,
        user=None,
        password=None,
        keepalive=0,
        ssl=None,
        **ssl_params,
    ):
        if _VERSION < (1, 6) and ssl_params:
            raise TypeError("unexpected keyword argument")
        self.client_id = client_id
        self.server, self.port = server, port or (8883 if ssl else 1883)
        self.keepalive = keepalive
        self.sock = self.cb = None
        self.ssl = ssl
        self.pid = 0

    def set_callback(self, f):
        self.cb = f

    def connect(self, *args):
        timeout = None
        if _VERSION >= (1, 5) and len(args) > 1:
            timeout = args[1]
        elif len(args) > 1:
            raise TypeError("takes 2 positional arguments")
        clean_session = args[0] if args else True
        if _VERSION >= (1, 7, 1) and self.sock:
            self.sock.close()
        self.sock = socket.socket()
        if _VERSION >= (1, 5):
            self.sock.settimeout(timeout)
        self.sock.connect(socket.getaddrinfo(self.server, self.port)[0][-1])
        if self.ssl:
            self.sock = self.ssl.wrap_socket(self.sock, server_hostname=self.server)
        flags = 2 if clean_session else 0
        variable = struct.pack("!H4sBBH", 4, b"MQTT", 4, flags, self.keepalive)
        header = bytearray(6)
        header[0] = 0x10
        size = self._put_length(header, len(variable) + 2 + len(self.client_id))
        self.sock.write(header, size)
        self.sock.write(variable)
        self._write_text(self.client_id)
        answer = self.sock.read(4)
        assert answer[0] == 0x20 and answer[1] == 2
        if answer[3]:
            raise MQTTException(answer[3])
        return answer[2] & 1

    def disconnect(self):
        self.sock.write(b"\xe0\0")
        self.sock.close()

    def ping(self):
        self.sock.write(b"\xc0\0")

    def publish(self, topic, msg, retain=False, qos=0):
        header = bytearray(5)
        header[0] = 0x30 | qos << 1 | retain
        size = self._put_length(header, 2 + len(topic) + len(msg) + (2 if qos else 0))
        self.sock.write(header, size)
        self._write_text(topic)
        if qos:
            self.pid += 1
            self.sock.write(struct.pack("!H", self.pid))
        self.sock.write(msg)
        while qos and self.wait_msg() != 0x40:
            pass

    def wait_msg(self):
        first = self.sock.read(1)
        self.sock.setblocking(True)
        if first is None:
            return None
        if first == b"":
            raise OSError(-1)
        if first == b"\xd0":
            assert self.sock.read(1)[0] == 0
            return None
        kind = first[0]
        if kind & 0xF0 != 0x30:
            return kind
        size = self._read_length()
        length = self.sock.read(2)
        length = length[0] << 8 | length[1]
        topic = self.sock.read(length)
        size -= length + 2
        if kind & 6:
            pid = self.sock.read(2)
            pid = pid[0] << 8 | pid[1]
            size -= 2
        self.cb(topic, self.sock.read(size))
        if kind & 6 == 2:
            self.sock.write(struct.pack("!BBH", 0x40, 2, pid))
        elif kind & 6 == 4:
            raise AssertionError
        return kind

    def check_msg(self):
        self.sock.setblocking(False)
        return self.wait_msg()

    def _write_text(self, text):
        self.sock.write(struct.pack("!H", len(text)))
        self.sock.write(text)

    @staticmethod
    def _put_length(header, size):
        # MQTT 3.1.1, 2.2.3; returns how much of the header is in use
        at = 1
        while size > 0x7F:
            header[at] = size & 0x7F | 0x80
            size >>= 7
            at += 1
        header[at] = size
        return at + 1

    def _read_length(self):
        size = shift = 0
        while True:
            byte = self.sock.read(1)[0]
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                return size
            shift += 7
