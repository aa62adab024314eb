"""Times get-pending-job-executions, back to back, in three ways: plain umqtt.simple as its README
has it, a raw TLS socket with a packet made before, and the firmware. Takes the place of main.py.

Finds {"times": {way: [microseconds]}, "turns": of asyncio's loop in each request, "allocated":
bytes of the heap in a request}.
"""

import asyncio
import gc
import json
import socket
import sys
import time
from asyncio import core

from sandbox.jobs import Jobs
from sandbox.lazy import borrow
from sandbox.link import Link
from sandbox.log import Log
from sandbox.station import Station

_THRESHOLD = 2 * 4096  # as the firmware has it at rest, for words twice as long
gc.threshold(_THRESHOLD)

_COUNT, _COUNT_PLAIN, _WARM_UP = 200, 40, 5

config, board, context, built = borrow("setup").load(Log())
prefix = "$aws/things/%s/jobs/" % config.thing
REQUEST = b'{"clientToken":"5c0a4f0e-8b3f-4d0f-9f5d-0a1b2c3d4e5f"}'
times = {}
found = {"times": times}


def timed(name, count, ask):
    times[name] = samples = []
    for i in range(_WARM_UP + count):
        began = time.ticks_us()
        ask()
        took = time.ticks_diff(time.ticks_us(), began)
        if i >= _WARM_UP:
            samples.append(took)


# Plain umqtt.simple


class _Ussl:
    # umqtt.simple 1.3.4 imports `ussl`, which MicroPython no longer has
    @staticmethod
    def wrap_socket(sock, **params):
        return context.wrap_socket(sock, **params)


def plain():
    from umqtt.simple import MQTTClient

    sys.modules["ussl"] = _Ussl
    client = MQTTClient(
        config.client_id,
        config.endpoint,
        config.port,
        keepalive=60,
        ssl=True,
        ssl_params={"server_hostname": config.endpoint},
    )
    got = []
    client.set_callback(lambda topic, message: got.append(json.loads(message)))
    client.connect()
    client.subscribe(prefix + "get/accepted")

    def ask():
        got.clear()
        client.publish(prefix + "get", json.dumps({"clientToken": "token"}))
        while not got:
            client.wait_msg()

    timed("umqtt", _COUNT_PLAIN, ask)
    client.disconnect()


# A raw socket


def text(data):
    return len(data).to_bytes(2, "big") + data


def packet(kind, body):
    length, size = b"", len(body)
    while size > 127:
        length += bytes((size & 127 | 128,))
        size >>= 7
    return bytes((kind,)) + length + bytes((size,)) + body


def receive(sock):
    kind = sock.read(1)[0]
    size = shift = 0
    while True:
        byte = sock.read(1)[0]
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return kind, sock.read(size) if size else b""


def raw():
    address = socket.getaddrinfo(config.endpoint, config.port, 0, socket.SOCK_STREAM)[0][-1]
    plain_socket = socket.socket()
    plain_socket.setsockopt(6, 1, 1)  # TCP_NODELAY
    plain_socket.connect(address)
    sock = context.wrap_socket(plain_socket, server_hostname=config.endpoint)
    sock.write(packet(0x10, b"\0\4MQTT\4\2\0\x3c" + text(config.client_id.encode())))
    receive(sock)
    sock.write(packet(0x82, b"\0\1" + text((prefix + "get/accepted").encode()) + b"\0"))
    receive(sock)
    request = packet(0x30, text((prefix + "get").encode()) + REQUEST)

    def ask():
        sock.write(request)
        while receive(sock)[0] & 0xF0 != 0x30:
            pass

    def ping():
        sock.write(b"\xc0\0")
        while receive(sock)[0] != 0xD0:
            pass

    timed("raw", _COUNT, ask)
    timed("ping", _COUNT, ping)
    sock.write(b"\xe0\0")
    sock.close()


# The firmware


async def firmware():
    log = Log()
    link = Link(config, context, Station(config, built, log).up, log)
    jobs = Jobs(link, log)
    link.on_online = jobs.on_change = jobs.on_event = lambda *_: None
    asyncio.create_task(link.run())
    await link.online.wait()
    await jobs.get_pending()  # behind the answer to SUBSCRIBE, with which the link sets it, too
    gc.threshold(_THRESHOLD)
    await ask_often("firmware", jobs, None)
    turns = _Turns()
    await ask_often("awake", jobs, turns)
    turns.end()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    await jobs.get_pending()
    found["allocated"] = gc.mem_alloc() - before
    gc.enable()


async def ask_often(name, jobs, turns):
    times[name] = samples = []
    counts = found.setdefault("turns", [])
    for i in range(_WARM_UP + _COUNT):
        asleep_us, count = (turns.asleep_us, turns.count) if turns else (0, 0)
        began = time.ticks_us()
        await jobs.get_pending()
        took = time.ticks_diff(time.ticks_us(), began)
        if turns:
            took -= turns.asleep_us - asleep_us
        if i >= _WARM_UP:
            samples.append(took)
            if turns:
                counts.append(turns.count - count)


class _Turns:
    # Counts the turns of asyncio's loop, and how long its polls took
    def __init__(self):
        self.count = self.asleep_us = 0
        self._queue = core._io_queue
        core._io_queue = self

    def __getattr__(self, name):
        return getattr(self._queue, name)

    def wait_io_event(self, wait_ms):
        began = time.ticks_us()
        self._queue.wait_io_event(wait_ms)
        self.count += 1
        self.asleep_us += time.ticks_diff(time.ticks_us(), began)

    def end(self):
        core._io_queue = self._queue


async def network():
    await Station(config, built, Log()).up()


asyncio.run(network())
plain()
raw()
asyncio.run(firmware())
