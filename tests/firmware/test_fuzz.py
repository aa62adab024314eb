"""Hostile input, made from a seed, against stream, link, wire, umqtt, jobs and the printing of
events, as they lie on the board and in its heap: nothing but a lost connection may come of it.

FUZZ_INPUTS and FUZZ_SEED make it longer (`make fuzz`).
"""

import asyncio
import gc
import json
import random

from sandbox.answers import dump
from sandbox.client import make
from sandbox.config import parse
from sandbox.errors import JobFailed, LinkError
from sandbox.jobs import Jobs, _Request
from sandbox.link import Link
from sandbox.stream import Stream
from sandbox.wire import ERRORS
from uos import getenv

import budgets
import inline  # noqa: F401
import mutant
from documents import checked_steps
from fakes import FakeBoard, FakeLog

UMQTT = ("1.3.4", "1.8.0")
INPUTS = int(getenv("FUZZ_INPUTS") or 2000)
SEED = int(getenv("FUZZ_SEED") or 1)
PER_CONNECTION = 40
STATUSES = ("QUEUED", "IN_PROGRESS")
EXPECTED = ERRORS + (LinkError, MemoryError)  # what Link.run takes for the end of a connection


class Socket:
    """Gives packets, in pieces of any size; takes everything."""

    def __init__(self, packets) -> None:
        self._packets = iter(packets)
        self._data = memoryview(b"")

    async def read(self, size) -> bytes:
        return b""

    def readinto(self, room) -> int:
        if not len(self._data):
            self._data = memoryview(next(self._packets, b""))
        count = min(len(room), len(self._data), 1 + random.getrandbits(10))
        room[:count] = self._data[:count]
        self._data = self._data[count:]
        return count

    def write(self, data) -> int:
        return len(data)

    def close(self) -> None:
        pass


class Victim:
    """The firmware's input path, connected to nothing."""

    def __init__(self) -> None:
        self.log = FakeLog()
        config = parse({"thing": mutant.THING, "endpoint": "localhost"})
        self.link = Link(config, None, None, self.log)
        self.jobs = Jobs(self.link, self.log)
        self.jobs.on_change = lambda certain: None
        self.jobs.on_event = lambda: None
        self.config = config

    def connection(self, *packets) -> None:
        """Let a connection bring packets, bytes or numbers of hostile ones, and end."""
        made = (mutant.packet(each) if isinstance(each, int) else each for each in packets)
        link, socket = self.link, Socket(made)
        link.stream = Stream(socket, None, self.config.receive_limit)
        link.stream._raw = socket
        link._client = make(self.config, link._wire)
        link._client.set_callback(link.hand_out)
        link._wire.packet()
        link._enter("online")
        request = self.jobs._waiting[mutant.TOKEN] = _Request("start-next")
        try:
            asyncio.run(link._hear(link.stream))
        except EXPECTED:
            pass
        finally:
            link.stream = None
            link._wire.packet()
            del self.jobs._waiting[mutant.TOKEN]
            self.log.entries.clear()
        self.judge(request)

    def judge(self, request) -> None:
        """Check what is left of it, and show the events as the console does."""
        for job_id, status in self.jobs.pending.items():
            assert isinstance(job_id, str) and isinstance(status, str), self.jobs.pending
        for _, event in self.jobs.events:
            json.loads(event.replace("inf", "0"))  # MicroPython's for 1e999: no JSON, no harm
        if isinstance(request.answer, dict):
            dump(request.answer)
        self.jobs.events.clear()


def test_no_input_does_more_than_end_the_connection():
    random.seed(SEED)
    victim = Victim()
    used = 0
    for first in range(0, INPUTS, PER_CONNECTION):
        half = first + PER_CONNECTION // 2
        try:
            victim.connection(*range(first, half))
            for number in range(half, first + PER_CONNECTION):
                victim.connection(number)
        except Exception:
            print("seed", SEED, "inputs from", first)
            raise
        if first == PER_CONNECTION * 10:
            gc.collect()
            used = gc.mem_alloc()
    gc.collect()
    assert gc.mem_alloc() < used + 10 * budgets.LEAK, "memory is lost"


def test_the_client_works_after_all_that():
    random.seed(SEED)
    victim = Victim()
    for number in range(400):
        victim.connection(number)
    good = b'{"jobs":{"QUEUED":[{"jobId":"good"}]}}'
    victim.connection(mutant.publish(mutant.PREFIX + b"notify", good, 2))
    assert victim.jobs.pending == {"good": "QUEUED"}


def test_no_document_does_more_than_be_rejected():
    random.seed(SEED)
    board = FakeBoard()
    rejected = 0
    for number in range(INPUTS // 10):
        document = mutant.document()
        try:
            checked_steps(document, board)
        except JobFailed as error:
            code, reason, status = error.args
            assert isinstance(code, str) and isinstance(reason, str) and status == "REJECTED"
            rejected += 1
        except Exception:
            print("seed", SEED, "input", number, document)
            raise
    assert 0 < rejected < INPUTS // 10
