"""`network`, after ports/esp32/network_wlan.c: a station that gets an address a moment after
connect().

Any SSID with any password works, unless the fault `wifi` says otherwise
(`host_tools/board/faults.py`): "no-ap", "wrong-password", "no-dhcp" or "drop".
"""

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
STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD, STAT_BEACON_TIMEOUT = 201, 202, 200
STAT_ASSOC_FAIL, STAT_HANDSHAKE_TIMEOUT, STAT_CONNECT_FAIL = 203, 204, 1015

_CONNECT_MS = 120  # association and DHCP; a real one takes 1 to 5 s
_REASON = {
    "no-ap": STAT_NO_AP_FOUND,
    "wrong-password": STAT_WRONG_PASSWORD,
    "drop": STAT_BEACON_TIMEOUT,
}
_hostname = "mpy-esp32"
_country = "XX"


class WLAN:
    """A Wi-Fi interface; one object per interface."""

    IF_STA, IF_AP = STA_IF, AP_IF
    SEC_OPEN, SEC_WPA2, SEC_WPA3 = AUTH_OPEN, AUTH_WPA2_PSK, AUTH_WPA3_PSK
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2
    _interfaces = {}

    def __new__(cls, interface: int = STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError("invalid WLAN interface identifier")
        return cls._interfaces.get(interface) or object.__new__(cls)

    def __init__(self, interface: int = STA_IF) -> None:
        if interface in self._interfaces:
            return
        self._interfaces[interface] = self
        self._interface = interface
        self._active = False
        self._ssid = ""
        self._since_ms = None  # ticks of the last (re)connection attempt, None when none is wanted
        self._attempts = 0
        self._reason = 0
        self._config = {
            "reconnects": -1,
            "txpower": 20.0,
            "pm": 1,
            "channel": 6,
            "hidden": False,
            "security": 0,
        }
        self._static = None

    def active(self, on: bool | None = None) -> bool:
        if on is not None:
            self._active = bool(on)
            if not on:
                self._since_ms = None
        return self._active

    def connect(self, ssid=None, key=None, *, bssid=None) -> None:
        """Start connecting in the background. Raises OSError as esp_wifi_connect would."""
        self._require_station()
        if not self._active:
            raise OSError("Wifi Not Started")
        if self._since_ms is not None and not self.isconnected():
            raise OSError(
                "Wifi Internal State Error" if ssid is not None else "Wifi Internal Error"
            )
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if ssid is not None:
            self._ssid = ssid if isinstance(ssid, str) else bytes(ssid).decode()
        self._since_ms = utime.ticks_ms()
        self._attempts = self._reason = 0

    def disconnect(self) -> None:
        if not self._active:
            raise OSError("Wifi Not Started")
        self._since_ms = None

    def isconnected(self) -> bool:
        if self._interface != STA_IF or self._since_ms is None or not self._active:
            return False
        if utime.ticks_diff(utime.ticks_ms(), self._since_ms) < _CONNECT_MS:
            return False
        fault = _hw.fault("wifi")
        if fault is None:
            return True
        self._fail(fault)
        return False

    def _fail(self, fault: str) -> None:
        # the driver tries again by itself, for ever or `reconnects` times
        # (network_wlan_event_handler)
        self._reason = _REASON.get(fault, 0)
        self._attempts += 1
        self._since_ms = utime.ticks_ms()

    def status(self, what: str | None = None):
        """Return a STAT_ code, or `rssi` or `stations` when named."""
        if what == "rssi":
            self._require_station()
            if not self.isconnected():
                raise OSError("Wifi Not Connected")
            return -55
        if what == "stations":
            if self._interface != AP_IF:
                raise OSError("AP required")
            return []
        if what is not None:
            raise ValueError("unknown status param")
        return self._status() if self._interface == STA_IF else None

    def _status(self) -> int:
        if self.isconnected():
            return STAT_GOT_IP
        limit = self._config["reconnects"]
        if self._since_ms is not None and (limit == -1 or self._attempts <= limit):
            return STAT_CONNECTING
        return self._reason or STAT_IDLE

    def scan(self) -> list:
        """Return (ssid, bssid, channel, rssi, security, hidden) of each access point. Blocks
        for a while.
        """
        if not self._active or self._interface != STA_IF:
            raise OSError("STA must be active")
        if _hw.fault("wifi") in ("no-ap", "drop"):
            return []
        return [
            (
                self._ssid.encode() or b"virtual",
                b"\x02\x00\x00\x00\x00\x01",
                6,
                -55,
                AUTH_WPA2_PSK,
                False,
            )
        ]

    def config(self, *names, **settings):
        """Return one setting by name, or set several."""
        if names and settings:
            raise TypeError("either pos or kw args are allowed")
        if settings:
            return self._set_config(settings)
        if len(names) != 1:
            raise TypeError("can query only one param")
        return self._get_config(names[0])

    def _set_config(self, settings: dict) -> None:
        for name, value in settings.items():
            if name in ("ssid", "essid"):
                self._ssid = value
            elif name in ("hostname", "dhcp_hostname"):
                hostname(value)
            elif name in self._config:
                self._config[name] = value
            elif name not in ("key", "password", "mac", "protocol", "authmode"):
                raise ValueError("unknown config param")

    def _get_config(self, name: str):
        if name in ("ssid", "essid"):
            return self._ssid
        if name in ("hostname", "dhcp_hostname"):
            return _hostname
        if name == "mac":
            return _hw.unique_id[:5] + bytes([(_hw.unique_id[5] + self._interface) & 255])
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
        address, mask, gateway, _ = self.ifconfig()
        if name == "addr4":
            return (address, mask)
        if name == "gw4":
            return gateway
        if name == "has_dhcp4":
            return self.isconnected()
        if name == "dhcp4":
            return self._static is None
        if name is not None:
            raise ValueError("unexpected key")

    def _require_station(self) -> None:
        if self._interface != STA_IF:
            raise OSError("STA required")


def is_up() -> bool:
    """Tell the stand-ins whether the board has a network. Not in the real module."""
    station = WLAN._interfaces.get(STA_IF)
    return station is not None and station.isconnected()


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
