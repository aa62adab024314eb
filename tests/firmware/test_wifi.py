import network
from sandbox import wifi
from sandbox.errors import LinkError

import hardware
import lapse
from fakes import FakeLog, raises_async

HOME = {"ssid": "home", "password": "secret"}


async def refused(settings=HOME, failures=0):
    error = await raises_async(LinkError, wifi.connect(settings, failures, FakeLog()))
    return error.args


async def test_the_station_comes_up_and_says_where():
    log = FakeLog()
    await wifi.connect(HOME, 0, log)
    assert network.WLAN().isconnected()
    assert log.entries == [("info", "wifi", "connected to home, address 127.0.0.1")]


async def test_no_network_configured_says_so():
    for settings in ({}, {"ssid": ""}, {"password": "x"}):
        assert (await refused(settings))[0] == "WIFI_NO_SSID"
    assert not network.WLAN().active(), "the radio was switched on for nothing"


async def test_the_ports_final_states_are_told_by_their_code():
    for fault, code in (("no-ap", "WIFI_NO_AP"), ("wrong-password", "WIFI_PASSWORD")):
        hardware.simulate_fault(wifi=fault)
        assert await refused() == (code, "home")


async def test_every_state_of_the_port_has_its_code():
    status = network.WLAN.status
    told = set()
    for name, code in wifi._FAILURES:
        if hasattr(network, name):
            number = getattr(network, name)
            network.WLAN.status = lambda self, what=None: number
            assert (await refused())[0] == code, name
            told.add(code)
    network.WLAN.status = status
    assert told == {"WIFI_NO_AP", "WIFI_PASSWORD", "WIFI_ASSOCIATION"}


async def test_an_address_that_does_not_come_is_a_timeout():
    hardware.simulate_fault(wifi="no-dhcp")
    assert await refused() == ("WIFI_TIMEOUT", "home")


async def test_a_driver_that_fails_is_told_in_its_words():
    def fail(self, *args):
        raise OSError("Wifi Internal Error")

    network.WLAN.connect = fail
    assert await refused() == ("WIFI_ERROR", "Wifi Internal Error")


async def test_an_address_that_is_there_is_left_alone():
    await wifi.connect(HOME, 0, FakeLog())
    log = FakeLog()
    await wifi.connect({}, 0, log)
    assert network.WLAN().isconnected() and log.entries == []


async def test_a_second_attempt_while_the_first_is_under_way_works():
    hardware.simulate_fault(wifi="no-ap")
    await refused()
    hardware.simulate_fault()
    await wifi.connect(HOME, 1, FakeLog())
    assert network.WLAN().isconnected()


async def test_every_third_failure_recycles_the_interface():
    switched = []
    active = network.WLAN.active

    def note(self, on=None):
        if on is not None:
            switched.append(on)
        return active(self, on)

    network.WLAN.active = note
    for failures in range(7):
        await wifi.connect(HOME, failures, FakeLog())
        assert switched == ([False, True] if failures in (3, 6) else [True]), failures
        network.WLAN().disconnect()
        del switched[:]
    assert lapse.FACTOR > 1
