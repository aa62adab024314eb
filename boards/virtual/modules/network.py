"""`network`, after ports/esp32/network_wlan.c: a station that soon has an address.

Any SSID with any password works, unless the fault `wifi` says otherwise
(`host_tools/board/faults.py`): "no-ap", "wrong-password", "no-dhcp" or "drop".
The station lives on through a soft reset, as the IDF's does.
"""

import json

import _hw
import utime

STA_IF, AP_IF = 0, 1
MODE_11B, MODE_11G, MODE_11N, MODE_LR = 1, 2, 4, 8
AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK, AUTH_WPA_WPA2_PSK, AUTH_WPA3_PSK = (
    0,
    1,
    2,
    3,
    4,
    6,
)
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
STAT_BEACON_TIMEOUT, STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD = 200, 201, 202
STAT_ASSOC_FAIL, STAT_HANDSHAKE_TIMEOUT = 203, 204

_ASSOC_LEAVE = 8  # reason after disconnect()
_ATTEMPT_MS = 120  # association and DHCP; a real one takes 1 to 5 s
_REASONS = {
    "no-ap": STAT_NO_AP_FOUND,
    "wrong-password": STAT_WRONG_PASSWORD,
    "drop": STAT_BEACON_TIMEOUT,
    "no-dhcp": 0,
}
_SOFT_RESET = 5
_hostname = "mpy-esp32"
_country = "XX"


def _now_ms() -> int:
    return utime.time_ns() // 1000000  # host time: comparable across a soft reset


class _Station:
    """The Wi-Fi driver's side of the station."""

    def __init__(self) -> None:
        self.active = False
        self.ssid = ""
        self.wanted = False  # connect() was called, disconnect() was not
        self.since_ms = 0  # start of the attempt under way, or of the link
        self.attempts = 0
        self.reason = 0  # of the last disconnection; only an address clears it
        self.reconnects = 0  # config(reconnects=) plus one, 0 = for ever
        if _hw.reset_cause == _SOFT_RESET:
            for name, value in _hw.read_json("wifi.json").items():
                setattr(self, name, value)
        else:
            self.save()

    def save(self) -> None:
        with _hw.host.open("/wifi.json", "w") as file:
            json.dump(self.__dict__, file)

    def start_attempt(self) -> None:
        self.since_ms = _now_ms()
        self.save()

    def is_connected(self) -> bool:
        if not self.active or not self.wanted or self._given_up():
            return False
        if _now_ms() - self.since_ms < _ATTEMPT_MS:
            return False
        fault = _hw.fault("wifi")
        if fault is not None:
            self.reason = _REASONS[fault]
            self.attempts += 1
            self.start_attempt()  # the port's event handler tries again at once
            return False
        self.reason = 0
        return True

    def is_connecting(self) -> bool:
        return self.wanted and not self.is_connected() and not self._given_up()

    def status(self) -> int:
        # the order of the cases is that of network_wlan_status
        if self.is_connected():
            return STAT_GOT_IP
        if self.reason in (STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD):
            return self.reason
        if self.reason == _ASSOC_LEAVE:
            return STAT_IDLE
        if self.wanted and not self._given_up():
            return STAT_CONNECTING
        return self.reason or STAT_IDLE

    def _given_up(self) -> bool:
        return bool(self.reconnects) and self.attempts >= self.reconnects


_station = _Station()


class WLAN:
    """A Wi-Fi interface; there is one object per interface."""

    IF_STA, IF_AP = STA_IF, AP_IF
    SEC_OPEN, SEC_WEP, SEC_WPA, SEC_WPA2, SEC_WPA_WPA2, SEC_WPA3 = 0, 1, 2, 3, 4, 6
    PM_PERFORMANCE, PM_POWERSAVE, PM_NONE = 1, 2, 0
    _interfaces = {}

    def __new__(cls, interface: int = STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError("invalid WLAN interface identifier")
        if interface not in cls._interfaces:
            cls._interfaces[interface] = object.__new__(cls)
        return cls._interfaces[interface]

    def __init__(self, interface: int = STA_IF) -> None:
        if hasattr(self, "_interface"):
            return
        self._interface = interface
        self._ap_active = False
        self._config = {"txpower": 20.0, "pm": 1, "channel": 6, "hidden": False, "security": 0}
        self._static = None

    def active(self, on: bool | None = None) -> bool:
        if self._interface == AP_IF:
            self._ap_active = self._ap_active if on is None else bool(on)
            return self._ap_active
        if on is not None and bool(on) != _station.active:
            _station.active = bool(on)
            _station.attempts = 0
            _station.start_attempt()
        return _station.active

    def connect(self, ssid=None, key=None, *, bssid=None) -> None:
        """Start connecting in the background.

        Raises OSError as esp_wifi_set_config and esp_wifi_connect do: before active(True), and
        while an attempt is under way, also the driver's own after a lost link: disconnect() first.
        """
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if not _station.active:
            raise OSError("Wifi Not Started")
        if _station.is_connecting():
            raise OSError(
                "Wifi Internal State Error" if ssid is not None else "Wifi Internal Error"
            )
        if ssid is not None:
            _station.ssid = ssid if isinstance(ssid, str) else bytes(ssid).decode()
        _station.wanted = True
        _station.attempts = 0
        _station.start_attempt()

    def disconnect(self) -> None:
        if not _station.active:
            raise OSError("Wifi Not Started")
        if _station.wanted:
            _station.reason = _ASSOC_LEAVE
        _station.wanted = False
        _station.save()

    def isconnected(self) -> bool:
        return self._interface == STA_IF and _station.is_connected()

    def status(self, what: str | None = None):
        """Return a STAT_ code, or `rssi` or `stations` when named."""
        if what is None:
            return _station.status() if self._interface == STA_IF else None
        if what == "rssi":
            self._require(STA_IF, "STA required")
            if not _station.is_connected():
                raise OSError("Wifi Not Connected")
            return -55
        if what == "stations":
            self._require(AP_IF, "AP required")
            return []
        raise ValueError("unknown status param")

    def scan(self) -> list:
        """Return (ssid, bssid, channel, rssi, security, hidden) of each access point."""
        if not _station.active:
            raise OSError("STA must be active")
        if _hw.fault("wifi") in ("no-ap", "drop"):
            return []
        ssid = (_station.ssid or "virtual").encode()
        return [(ssid, b"\x02\x00\x00\x00\x00\x01", 6, -55, AUTH_WPA2_PSK, False)]

    def config(self, *names, **settings):
        """Return one setting by name, or set several."""
        if names and settings:
            raise TypeError("either pos or kw args are allowed")
        if settings:
            for name, value in settings.items():
                self._set_config(name, value)
            return None
        if len(names) != 1:
            raise TypeError("can query only one param")
        return self._get_config(names[0])

    def _set_config(self, name: str, value) -> None:
        if name == "reconnects":
            self._require(STA_IF, "STA required")
            _station.reconnects = 0 if value == -1 else value + 1
            _station.save()
        elif name in ("hostname", "dhcp_hostname"):
            hostname(value)
        elif name in ("ssid", "essid", "key", "password"):
            self._require(AP_IF, "AP required")
        elif name in self._config:
            self._config[name] = value
        elif name not in ("mac", "protocol", "authmode", "max_clients"):
            raise ValueError("unknown config param")

    def _get_config(self, name: str):
        if name in ("ssid", "essid"):
            return _station.ssid if self._interface == STA_IF else "ESP_VIRTUAL"
        if name in ("hostname", "dhcp_hostname"):
            return _hostname
        if name == "mac":
            return _hw.unique_id[:5] + bytes([(_hw.unique_id[5] + self._interface) & 255])
        if name == "reconnects":
            return _station.reconnects - 1
        if name in self._config:
            return self._config[name]
        raise ValueError("unknown config param")

    def ifconfig(self, addresses=None):
        """Return or set (address, netmask, gateway, DNS server)."""
        if addresses is not None:
            self._static = None if addresses == "dhcp" else tuple(addresses)
            return None
        if not self.isconnected():
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return self._static or ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def ipconfig(self, name: str | None = None, **settings):
        """Return one of `addr4`, `gw4`, `dhcp4`, `has_dhcp4`. Setting `dhcp4` has no effect."""
        address, mask, gateway, _ = self.ifconfig()
        values = {
            "addr4": (address, mask),
            "gw4": gateway,
            "has_dhcp4": self.isconnected() and self._static is None,
            "dhcp4": self._static is None,
        }
        if name is None and set(settings) <= {"dhcp4"}:
            return None
        if name not in values:
            raise ValueError("unexpected key")
        return values[name]

    def _require(self, interface: int, message: str) -> None:
        if self._interface != interface:
            raise OSError(message)


def is_up() -> bool:
    """Tell the other stand-ins whether the board has a network. Not in the real module."""
    return _station.is_connected()


def hostname(name: str | None = None) -> str | None:
    """Return or set the host name (extmod/modnetwork.c)."""
    global _hostname
    if name is None:
        return _hostname
    if len(name) > 32:
        raise ValueError
    _hostname = name


def country(code: str | None = None) -> str | None:
    global _country
    if code is None:
        return _country
    if len(code) != 2:
        raise ValueError
    _country = code


def phy_mode(mode: int | None = None) -> int | None:
    return MODE_11B | MODE_11G | MODE_11N if mode is None else None
