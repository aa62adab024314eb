import asyncio
import time

import ntptime
from sandbox import clock

import hardware
from fakes import FakeLog

HOSTS = ["first.example", "second.example"]


def connect():
    from network import WLAN

    WLAN().active(True)
    WLAN().connect("home", "secret")
    while not WLAN().isconnected():
        time.sleep_ms(5)


async def test_the_first_host_that_answers_sets_the_clock():
    connect()
    assert time.gmtime()[0] == 2000
    log = FakeLog()
    assert await clock.set_from(HOSTS, log)
    assert time.gmtime()[0] >= 2026
    assert log.entries == [("info", "clock", "set by first.example")]


async def test_the_next_host_is_asked_when_one_does_not_answer():
    connect()
    asked = []
    settime = ntptime.settime

    def only_the_second():
        asked.append(ntptime.host)
        if ntptime.host == HOSTS[0]:
            raise OSError(116)
        settime()

    ntptime.settime = only_the_second
    assert await clock.set_from(HOSTS, FakeLog())
    assert asked == HOSTS


async def test_no_answer_is_told_for_each_host():
    log = FakeLog()
    assert not await clock.set_from(HOSTS, log)  # there is no network
    assert [entry[0] for entry in log.entries] == ["warning", "warning"]
    assert log.says("first.example did not answer") and log.says("second.example")
    assert time.gmtime()[0] == 2000


async def test_an_answer_that_makes_no_sense_is_no_answer():
    def overflow():
        raise OverflowError

    ntptime.settime = overflow
    assert not await clock.set_from(["odd.example"], FakeLog())
    assert hardware.told() == []


async def test_others_have_their_turn_between_two_hosts_that_block():
    turns = []

    async def feed():
        while True:
            turns.append("fed")
            await asyncio.sleep_ms(1)

    def block():
        turns.append("asked")
        time.sleep_ms(20)
        raise OSError(-2)

    ntptime.settime = block
    task = asyncio.create_task(feed())
    await clock.set_from(HOSTS, FakeLog())
    task.cancel()
    first = turns.index("asked")
    assert "fed" in turns[first : turns.index("asked", first + 1)], turns
