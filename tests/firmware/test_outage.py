"""Hours without a network, in a time that leaps: how often it is tried, and that it comes back."""

import asyncio

import network
from sandbox import facts
from sandbox.config import parse
from sandbox.errors import LinkError
from sandbox.link import Link
from sandbox.station import Station

import hardware
import leap
from fakes import FakeLog, until

HOUR_MS = 3_600_000
CONFIG = {"thing": "lamp", "endpoint": "localhost", "wifi": {"ssid": "home", "password": "s"}}


class AccessPoint:
    """What the station sees of an access point that is away, or silent, for a time."""

    def __init__(self, back_ms, status, address="10.0.0.2"):
        self.back_ms = back_ms
        self.address = address
        self.switched = []  # how the radio was: (ms, on)
        self.attempts = []  # ms
        network.WLAN.isconnected = lambda wlan: self.is_back()
        network.WLAN.status = lambda wlan, what=None: 1010 if self.is_back() else status
        network.WLAN.active = lambda wlan, on=None: self.switched.append((leap.now_ms, on))
        network.WLAN.connect = lambda wlan, *given: self.attempts.append(leap.now_ms)
        network.WLAN.disconnect = lambda wlan: None
        network.WLAN.ifconfig = lambda wlan: (self.address, "", "", "")

    def is_back(self):
        return leap.now_ms >= self.back_ms


class Log(FakeLog):
    """Keeps the pauses, in ms, and no line: an hour's would fill the heap."""

    def __init__(self):
        super().__init__()
        self.pauses = []

    def _keep(self, level, tag, text, args):
        if text.startswith("next attempt"):
            self.pauses.append(args[0])


class Board:
    """Link and station of a board; its connections are made up."""

    def __init__(self):
        config = parse(CONFIG)
        self.log = Log()
        self.station = Station(config, 0, self.log)
        self.link = Link(config, None, self.station.up, self.log)
        self.link.on_closed = lambda: None
        self.link._connect = self._connect
        self.connected_at = []  # ms
        hardware.simulate_clock(2030)
        self.task = asyncio.create_task(self.link.run())

    async def _connect(self):
        self.connected_at.append(leap.now_ms)
        await asyncio.Event().wait()


async def test_an_access_point_that_is_gone_for_an_hour_is_found_again():
    AccessPoint(HOUR_MS, network.STAT_NO_AP_FOUND)
    board = Board()
    await until(lambda: board.connected_at, "a connection")
    board.task.cancel()
    pauses = board.log.pauses
    assert sum(pauses) >= HOUR_MS - 120_000
    for number, pause_ms in enumerate(pauses):
        assert 1000 <= pause_ms <= min(2000 << number, 120_000), (number, pause_ms)
    assert 30 <= len(pauses) <= 200, "a minute between two attempts, on the average"
    assert board.connected_at[0] - HOUR_MS <= 121_000, "found within the longest pause"
    assert board.link.trouble == ("WIFI_NO_AP", "home")


async def test_the_radio_is_switched_off_and_on_after_every_third_failure():
    gone = AccessPoint(HOUR_MS, network.STAT_NO_AP_FOUND)
    board = Board()
    await until(lambda: board.connected_at, "a connection")
    board.task.cancel()
    off = [at for at, on in gone.switched if on is False]
    assert len(off) == (len(gone.attempts) - 1) // 3
    for number, at in enumerate(off):
        assert gone.attempts[3 * number + 2] < at < gone.attempts[3 * number + 3]


async def test_a_dhcp_server_that_is_silent_for_an_hour_costs_20_s_an_attempt():
    AccessPoint(HOUR_MS, network.STAT_CONNECTING)
    board = Board()
    await until(lambda: board.connected_at, "a connection")
    board.task.cancel()
    assert board.link.trouble == ("WIFI_TIMEOUT", "home")
    attempts = len(board.log.pauses)
    assert sum(board.log.pauses) + 20_000 * attempts >= HOUR_MS - 120_000
    assert board.connected_at[0] - HOUR_MS <= 121_000


async def test_another_address_is_told_and_needs_no_new_wifi():
    there = AccessPoint(0, network.STAT_CONNECTING)
    board = Board()
    await until(lambda: board.connected_at, "a connection")
    there.address = "10.0.0.77"  # the packets of the connection vanish from now on

    async def die():
        raise LinkError("NO_PINGRESP", "silent for 90 s")

    board.task.cancel()
    board.link._connect = die
    task = asyncio.create_task(board.link.run())
    await until(lambda: board.link.failures >= 3, "some failures")
    task.cancel()
    assert there.attempts == [], "Wi-Fi itself was all right"
    assert "10.0.0.77" in facts.wifi(CONFIG["wifi"])
