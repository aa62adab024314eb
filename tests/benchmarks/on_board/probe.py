"""Starts the real application and keeps a trace of it: the heap in use, and when what happened.

Each line of the trace, /bench.trace in the board's folder on the host, is `time_ns heap label`:
heap is gc.mem_alloc() without what was there before, what the probe takes, the pools of names (the
bench's module `names` counts them as a board has them) and umqtt, which a board has in its flash;
label names what has just happened, or is `-` for a new peak since the last label. /room.txt says
how much heap, counted so, there is to be. It hooks into public names only: a deploy shortens the
private ones.
"""

import gc

gc.threshold(4096)  # as main.py
gc.collect()
asyncio_takes = gc.mem_alloc()
import asyncio  # noqa: F401

gc.collect()
asyncio_takes = gc.mem_alloc() - asyncio_takes
import json
import sys
from asyncio import core

import _hw
import umqtt.simple  # noqa: F401
import utime

_POOL = 3000  # bytes that only a new pool takes at once, one of 640 names
_REST_MS = 200  # who has waited longer has nothing to do, not even an answer to come


class _Trace:
    def __init__(self):
        self._file = _hw.host.open("/bench.trace", "w")
        self.own = 0
        self._peak = 0
        self.rested = False

    def note(self, label):
        heap = gc.mem_alloc() - self.own
        self._peak = heap
        self.rested = False
        self._file.write("%d %d %s\n" % (utime.time_ns(), heap, label))

    def look(self):
        heap = gc.mem_alloc() - self.own
        if heap > self._peak:
            self._peak = heap
            self._file.write("%d %d -\n" % (utime.time_ns(), heap))

    def around(self, label, function):
        def call(*args):
            self.note(label)
            try:
                return function(*args)
            finally:
                self.note("done " + label)

        return call


class _Queue:
    # asyncio's: looks at the heap in each turn of the loop
    def __init__(self, queue):
        self._queue = queue
        self._waited_ms = 0

    def __getattr__(self, name):
        return getattr(self._queue, name)

    def wait_io_event(self, wait_ms):
        trace.look()
        if self._waited_ms > _REST_MS and not trace.rested:
            gc.collect()
            trace.note("at rest")
            trace.rested = True
        began = utime.ticks_ms()
        self._queue.wait_io_event(wait_ms)
        self._waited_ms = utime.ticks_diff(utime.ticks_ms(), began)


class _Json:
    dumps, dump, load = json.dumps, json.dump, json.load

    @staticmethod
    def loads(text):
        try:
            return json.loads(text)
        finally:
            trace.look()


def _borrow(name):
    trace.note("load " + name)
    module = lend(name)
    trace.note("done load " + name)
    if name == "dial" and not connection:
        watch_connection()
    return module


def _hook(holder, name, function):
    connection.append((holder, name, getattr(holder, name)))
    setattr(holder, name, function)


def watch_connection():
    """Note the phases of the first connection; when it is ready, all is as before."""
    import socket

    import tls
    from sandbox.log import Log
    from sandbox.stream import Stream

    getaddrinfo, wrap, begin, done, info = (
        socket.getaddrinfo,
        tls.SSLContext.wrap_socket,
        Stream.__init__,
        Stream.done,
        Log.info,
    )

    def look_up(*args):
        trace.note("DNS")
        return getaddrinfo(*args)

    def wrap_socket(*args, **options):
        trace.note("TCP")
        return wrap(*args, **options)

    def begin_once(*args):
        trace.note("TLS")
        begin(*args)

    def done_once(*args):
        trace.note("CONNACK")
        done(*args)

    def log(self, tag, text, *args):
        if text == "ready":
            trace.note("SUBACK")
            for holder, name, function in connection:
                setattr(holder, name, function)
        info(self, tag, text, *args)

    _hook(socket, "getaddrinfo", look_up)
    _hook(tls.SSLContext, "wrap_socket", wrap_socket)
    _hook(Stream, "__init__", begin_once)
    _hook(Stream, "done", done_once)
    _hook(Log, "info", log)


def pad_names():
    """Keep names until there is a new pool for them, which has room for the application's."""
    number, grown = 0, 0
    while grown < _POOL:
        before = gc.mem_alloc()
        hasattr(trace, "name%d" % number)
        grown = gc.mem_alloc() - before
        number += 1


trace = _Trace()
connection = []  # what is hooked for it
from sandbox import lazy

lend, lazy.borrow = lazy.borrow, _borrow
sys.modules["json"] = _Json
core._io_queue = _Queue(core._io_queue)
pad_names()
with open("/room.txt") as file:  # how much of the heap is for the application
    room = int(file.read())
gc.collect()
rest = bytearray(gc.mem_free() + asyncio_takes - room)
trace.own = gc.mem_alloc() - asyncio_takes
trace.note("main.py")

from sandbox import app, files

files.write_json = trace.around("write", files.write_json)
trace.note("application loaded")
found = {}
with _hw.host.open("/bench.json", "w") as file:
    file.write("{}")
app.run()
