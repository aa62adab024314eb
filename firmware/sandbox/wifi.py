"""Brings the Wi-Fi station up, from off to an address. Loaded while that is done."""

import asyncio
import time

import network
from micropython import const

from .errors import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .log import Log

_TIMEOUT_MS = const(20_000)
_POLL_MS = const(50)
_RECYCLE_AFTER = const(3)

# Final states of the ESP32 port (network_wlan.c); a build may lack some
_FAILURES = (
    ("STAT_NO_AP_FOUND", "WIFI_NO_AP"),
    ("STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD", "WIFI_NO_AP"),
    ("STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD", "WIFI_PASSWORD"),
    ("STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY", "WIFI_PASSWORD"),
    ("STAT_WRONG_PASSWORD", "WIFI_PASSWORD"),
    ("STAT_HANDSHAKE_TIMEOUT", "WIFI_PASSWORD"),
    ("STAT_ASSOC_FAIL", "WIFI_ASSOCIATION"),
    ("STAT_CONNECT_FAIL", "WIFI_ASSOCIATION"),
)


async def connect(settings: dict, failures: int, log: "Log") -> None:
    """Return when the station has an address, at once if it has one. `settings`: {"ssid",
    "password"}.

    After every third failure in a row the interface is switched off and on, which mends a driver
    that is stuck. Raises LinkError saying why there is no connection.
    """
    station = network.WLAN(network.STA_IF)
    if station.isconnected():
        return
    ssid = settings.get("ssid")
    if not ssid:
        raise LinkError("WIFI_NO_SSID", "")
    try:
        if failures and failures % _RECYCLE_AFTER == 0:
            station.active(False)
            await asyncio.sleep_ms(_POLL_MS)
        station.active(True)
        station.disconnect()  # else connect() may raise "Wifi Internal Error"
        station.connect(ssid, settings.get("password", ""))
        await _wait(station, ssid)
        log.info("wifi", "connected to %s, address %s", ssid, station.ifconfig()[0])
    except OSError as error:
        raise LinkError("WIFI_ERROR", str(error))


async def _wait(station: "Any", ssid: str) -> None:
    began = time.ticks_ms()
    while not station.isconnected():
        status = station.status()
        for name, code in _FAILURES:
            if getattr(network, name, None) == status:
                raise LinkError(code, ssid)
        if time.ticks_diff(time.ticks_ms(), began) > _TIMEOUT_MS:
            raise LinkError("WIFI_TIMEOUT", ssid)
        await asyncio.sleep_ms(_POLL_MS)
