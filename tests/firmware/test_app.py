import asyncio
import sys
import time

from sandbox import app
from sandbox.credentials import tls_context

import flash
import hardware
import lapse
import peer as peers
from connected import config, message
from fakes import FakeBoard, FakeLog, until

WIFI = {"ssid": "home", "password": "secret"}
GET = b"$aws/things/lamp/jobs/get"


class Clock:
    """Stands for the module `time`, for modules that are loaded from now on, until it leaves."""

    now = 0

    def __init__(self) -> None:
        sys.modules["time"] = self

    def __getattr__(self, name):
        return getattr(time, name)

    def time(self) -> int:
        return self.now

    def leave(self) -> None:
        del sys.modules["time"]


async def started(script):
    """Run the application against a peer; return both, and what it shows."""
    peer = await peers.Peer(script).start()
    context = tls_context(peers.PKI + "/board")
    made = app.App(config(peer.port, wifi=WIFI), FakeBoard(), context, 0, FakeLog())
    made.board.watch = lambda timeout_ms: hardware.machine.WDT(timeout=timeout_ms)
    made.board.feed = lambda: None
    shown = []
    made.log.write = shown.append
    return peer, made, asyncio.create_task(made.run()), shown


def answer_to(request, **members):
    token = request[request.index(b'"clientToken":"') + 15 :][:36].decode()
    text = ",".join('"%s":%s' % member for member in members.items())
    return ('{"clientToken":"%s",%s}' % (token, text)).encode()


async def test_from_start_to_quit():
    seen = []

    async def script(connection):
        await connection.welcome()
        while not any(request[2:].startswith(GET) for request in seen):
            seen.append(await connection.expect(0x30))
        queued = '[{"jobId":"job-1"}]'
        await connection.send(
            message("get/accepted", answer_to(seen[-1], inProgressJobs="[]", queuedJobs=queued))
        )
        await connection.send(message("notify", b'{"timestamp":1e999,"jobs":{}}'))
        await connection.send(message("notify", b'{"timestamp":5,"jobs":{}}'))
        while True:
            await connection.expect(0x30)

    peer, made, task, shown = await started(script)
    await until(lambda: 'Received JobExecutionsChanged event:  {"jobs":{},"timestamp":5}' in shown)
    assert any("event:  " in line and "inf" in line for line in shown), "it is shown as it came"
    assert made.log.says("set by pool.ntp.org") and made.log.says("ready")
    made.left.set()
    await task
    assert made.link.state == "offline"
    await until(lambda: peer._failure, "another packet")
    assert str(peer._failure) == "expected 30, got e0", "it said goodbye"
    assert flash.root.operations


async def test_the_set_is_read_again_after_each_connect():
    requests = []

    async def script(connection):
        await connection.welcome()
        requests.append(await connection.expect(0x30))
        requests.append(await connection.expect(0x30))

    _, made, task, _ = await started(script)
    await until(lambda: len([r for r in requests if r[2:].startswith(GET + b"{")]) == 2)
    task.cancel()
    assert made.link.failures >= 1


class Failing:
    """A part of the application that fails after some time of `clock`."""

    def __init__(self, clock=Clock, lasts_s=0):
        self.begun = 0
        self.clock = clock
        self.lasts_s = lasts_s

    async def run(self):
        self.begun += 1
        self.clock.now += self.lasts_s
        raise KeyError("oops")


async def begun_three_times(made, lasts_s):
    """Let a part that fails after that time be begun three times."""
    clock = Clock()
    part = Failing(clock, lasts_s)
    made.begin("part", part.run)
    await until(lambda: part.begun == 3, "three beginnings")
    clock.leave()


async def test_a_part_that_fails_is_begun_again_ever_more_slowly_and_the_others_go_on():
    peer, made, task, _ = await started(None)
    await begun_three_times(made, 1)
    assert made.log.says("part failed, it is begun again in 1 s")
    assert made.log.says("part failed, it is begun again in 2 s")
    assert peer.port and not task.done()
    made.left.set()
    await task


async def test_a_part_that_failed_after_a_long_time_is_begun_again_soon():
    _, made, task, _ = await started(None)
    await begun_three_times(made, 302)
    assert not made.log.says("in 2 s") and not made.log.says("in 4 s")
    task.cancel()


async def test_without_the_memory_to_load_what_begins_a_part_again_the_board_is_reset():
    _, made, task, _ = await started(None)
    Crowded("again", 1)
    part = Failing()
    made.begin("part", part.run)
    await until(lambda: made.board.resets, "a reset")
    assert part.begun == 1
    task.cancel()


async def test_without_the_memory_to_begin_a_part_again_the_board_is_reset():
    def crowded(name, run):
        raise MemoryError

    _, made, task, _ = await started(None)
    part = Failing()
    made.begin("part", part.run)
    await until(lambda: part.begun, "the part")
    made.begin = crowded
    await until(lambda: made.board.resets, "a reset")
    task.cancel()


class Crowded:
    """Lets `borrow` of the app find no room for a module the first times."""

    def __init__(self, name, times):
        self.times = times
        self._name = name
        self._real = app.borrow
        app.borrow = self._borrow

    def _borrow(self, name):
        if name == self._name and self.times:
            self.times -= 1
            raise MemoryError
        if not self.times:
            app.borrow = self._real
        return self._real(name)


async def test_an_event_that_there_is_no_room_to_put_in_order_is_shown_as_it_came():
    _, made, task, shown = await started(None)
    crowded = Crowded("answers", 1)
    made.jobs.events.append(("JobExecutionsChanged", '{"timestamp":1,"jobs":{}}'))
    made.jobs.on_event()
    await until(lambda: made.jobs.events == [], "the event")
    assert not crowded.times
    assert 'Received JobExecutionsChanged event:  {"timestamp":1,"jobs":{}}' in shown
    task.cancel()


async def test_an_event_that_there_is_no_room_to_show_at_all_is_shown_later():
    def crowded(line):
        made.log.write = shown.append
        raise MemoryError

    _, made, task, shown = await started(None)
    Crowded("answers", 1)
    made.log.write = crowded
    made.jobs.events.append(("JobExecutionsChanged", '{"timestamp":1,"jobs":{}}'))
    made.jobs.on_event()
    await until(lambda: made.jobs.events == [], "the event")
    assert 'Received JobExecutionsChanged event:  {"jobs":{},"timestamp":1}' in shown
    task.cancel()


async def test_a_console_that_finds_no_room_loses_nothing_that_was_typed():
    talked = []

    class Console:
        async def serve(self, served, source, byte):
            talked.append(byte)

    class Source:
        def __init__(self, _):
            self.typed = [b"\x1f", b"", b"\x1e"]

        async def read(self, size):
            while not self.typed:
                await asyncio.sleep_ms(10)
            return self.typed.pop(0)

    real = app.borrow
    app.borrow = lambda name: Console() if name == "console" else real(name)
    app.asyncio.StreamReader = Source
    crowded = Crowded("console", 3)
    _, made, task, _ = await started(None)
    await until(lambda: talked, "the console")
    assert talked == [b"\x1e"] and not crowded.times
    assert not made.log.says("console failed")
    task.cancel()
    app.asyncio.StreamReader, app.borrow = asyncio.StreamReader, real


async def test_the_watchdog_is_armed_in_operation():
    _, _, task, _ = await started(None)
    await until(lambda: hardware.told(), "the watchdog")
    assert hardware.told()[0] == "wdt 60000"
    assert lapse.FACTOR > 1
    task.cancel()


def test_a_board_that_cannot_start_says_why_and_gives_the_repl():
    log = FakeLog()
    app.Log = lambda: log
    app.run()
    assert log.entries == [("error", "app", "/manifest.json is missing: deploy the firmware")]
