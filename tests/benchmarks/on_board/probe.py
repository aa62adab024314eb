"""Starts the real application and keeps a trace of it: the heap in use, and when what happened.

Each line of the trace, /bench.trace in the board's folder on the host, is `time_ns heap label`:
heap is gc.mem_alloc() without what was there before and what the probe takes; label names what has
just happened, or is `-` for a new peak since the last label.
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
import utime

_REST_MS = 200  # who waits longer has nothing to do


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

    def around_coroutine(self, label, function):
        async def call(*args):
            self.note(label)
            try:
                return await function(*args)
            finally:
                self.note("done " + label)

        return call


class _Queue:
    # asyncio's: looks at the heap in each turn of the loop
    def __init__(self, queue):
        self._queue = queue

    def __getattr__(self, name):
        return getattr(self._queue, name)

    def wait_io_event(self, wait_ms):
        trace.look()
        if wait_ms > _REST_MS and not trace.rested:
            gc.collect()
            trace.note("at rest")
            trace.rested = True
        self._queue.wait_io_event(wait_ms)


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
    if name == "dial":
        for part in ("_open", "_handshake", "_expect_connack"):
            setattr(module, part, trace.around_coroutine(part, getattr(module, part)))
    return module


trace = _Trace()
from sandbox import lazy

lend, lazy.borrow = lazy.borrow, _borrow
sys.modules["json"] = _Json
core._io_queue = _Queue(core._io_queue)
gc.collect()
trace.own = gc.mem_alloc() - asyncio_takes
trace.note("main.py")

from sandbox import app, journal
from sandbox.link import Link

journal.Journal._write = trace.around("journal", journal.Journal._write)
Link._check_suback = trace.around("suback", Link._check_suback)
trace.note("application loaded")
found = {}
with _hw.host.open("/bench.json", "w") as file:
    file.write("{}")
app.run()
