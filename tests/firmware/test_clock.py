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


def test_the_first_host_that_answers_sets_the_clock():
    connect()
    assert time.gmtime()[0] == 2000
    log = FakeLog()
    assert clock.set_from(HOSTS, log)
    assert time.gmtime()[0] >= 2026
    assert log.entries == [("info", "clock", "set by first.example")]


def test_the_next_host_is_asked_when_one_does_not_answer():
    connect()
    asked = []
    settime = ntptime.settime

    def only_the_second():
        asked.append(ntptime.host)
        if ntptime.host == HOSTS[0]:
            raise OSError(116)
        settime()

    ntptime.settime = only_the_second
    assert clock.set_from(HOSTS, FakeLog())
    assert asked == HOSTS


def test_no_answer_is_told_for_each_host():
    log = FakeLog()
    assert not clock.set_from(HOSTS, log)  # there is no network
    assert [entry[0] for entry in log.entries] == ["warning", "warning"]
    assert log.says("first.example did not answer") and log.says("second.example")
    assert time.gmtime()[0] == 2000


def test_an_answer_that_makes_no_sense_is_no_answer():
    def overflow():
        raise OverflowError

    ntptime.settime = overflow
    assert not clock.set_from(["odd.example"], FakeLog())
    assert hardware.told() == []
