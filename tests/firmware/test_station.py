import time

import network
from sandbox import station
from sandbox.config import parse
from sandbox.errors import LinkError

import hardware
import lapse
from fakes import FakeLog, raises_async

CONFIG = {"thing": "lamp", "endpoint": "localhost", "wifi": {"ssid": "home", "password": "s"}}
BUILT = 1_790_000_000  # 2026-09


def made(log=None, built=BUILT):
    return station.Station(parse(CONFIG), built, log or FakeLog())


async def test_it_brings_up_wifi_and_sets_the_clock():
    log = FakeLog()
    await made(log).up()
    assert network.WLAN().isconnected()
    assert log.says("set by pool.ntp.org")
    assert time.gmtime()[0] >= 2026


async def test_nothing_is_done_when_all_is_well():
    log = FakeLog()
    network_is_up = made(log)
    await network_is_up.up()
    del log.entries[:]
    await network_is_up.up()
    assert log.entries == []


async def test_wifi_that_fails_is_the_links_error():
    hardware.simulate_fault(wifi="wrong-password")
    error = await raises_async(LinkError, made().up())
    assert error.args[0] == "WIFI_PASSWORD"


async def test_a_clock_that_cannot_be_set_is_not_used():
    hardware.simulate_fault(ntp="unreachable")
    parsed = parse(dict(CONFIG, ntp=["only.example"]))
    error = await raises_async(LinkError, station.Station(parsed, BUILT, FakeLog()).up())
    assert error.args == ("CLOCK_NOT_SET", "it says 2000-01-01")


async def test_a_clock_before_the_build_is_set_and_one_after_it_is_left_alone():
    for year, set_again in ((2025, True), (2030, False)):
        hardware.simulate_clock(year)
        log = FakeLog()
        await made(log).up()
        assert log.says("set by") is set_again, year


async def test_a_right_clock_is_good_enough_without_an_answer():
    hardware.simulate_clock(2030)
    hardware.simulate_fault(ntp="unreachable")
    await made().up()


async def test_a_right_clock_that_nobody_sets_is_not_asked_about_at_every_attempt():
    hardware.simulate_clock(2030)
    hardware.simulate_fault(ntp="unreachable")
    log = FakeLog()
    up = made(log)
    for asked in (True, False, False):
        if asked:
            up._set_at = time.ticks_add(up._set_at, -86_500_000)
        await up.up()
        assert log.says("did not answer") is asked
        del log.entries[:]


async def test_a_manifest_without_build_time_does_not_let_an_old_clock_pass():
    hardware.simulate_clock(2025)
    hardware.simulate_fault(ntp="unreachable")
    parsed = parse(dict(CONFIG, ntp=[]))
    error = await raises_async(LinkError, station.Station(parsed, 0, FakeLog()).up())
    assert error.args[0] == "CLOCK_NOT_SET"


async def test_the_clock_is_set_again_after_a_day_also_when_the_ticks_have_wrapped():
    for ms in (-86_500_000, 86_500_000):
        log = FakeLog()
        up = made(log)
        await up.up()
        del log.entries[:]
        up._set_at = time.ticks_add(up._set_at, ms)
        await up.up()
        assert log.says("set by")


async def test_a_clock_that_tls_doubts_is_set_again_but_not_at_every_attempt():
    hardware.simulate_clock(2040)
    log = FakeLog()
    up = made(log)
    for trouble, minutes, asked in (
        ("TLS_EXPIRED", 0, False),
        ("TCP_TIMEOUT", 2, False),
        ("TLS_EXPIRED", 2, True),
        ("TLS_EXPIRED", 0, False),
        ("TLS_CLOCK_BEHIND", 2, True),
    ):
        up._set_at = time.ticks_add(up._set_at, -60_000 * minutes)
        await up.up((trouble, ""))
        assert log.says("set by") is asked, (trouble, minutes)
        del log.entries[:]
    assert time.gmtime()[0] < 2040


async def test_the_interface_is_recycled_after_failures_in_a_row():
    seen = []
    real = station.borrow

    class Wifi:
        async def connect(self, settings, failures, log):
            seen.append(failures)
            raise LinkError("WIFI_NO_AP", "")

    station.borrow = lambda name: Wifi() if name == "wifi" else real(name)
    up = made()
    for _ in range(3):
        await raises_async(LinkError, up.up())
    assert seen == [0, 1, 2]
    assert lapse.FACTOR > 1
