"""The board's settings: /config.json, checked member by member. An unknown member is an error that
names it.

Settings that the board itself changes (executor on or off, log level) lie in /state/settings.json,
so that a deploy does not undo them. The module is needed at the start only.
"""

from .errors import ConfigError
from .files import SETTINGS
from .lazy import borrow
from .log import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# member: (type, default); Ellipsis = no default
_MEMBERS = {
    "thing": (str, ...),
    "client_id": (str, ""),  # the thing's name when empty
    "endpoint": (str, ...),
    "port": (int, 8883),
    "wifi": (dict, {}),  # {"ssid": str, "password": str}
    "executor": (bool, True),
    "keepalive_s": (int, 60),  # AWS: 30 to 1200
    "receive_limit": (int, 65_536),  # bytes of the largest MQTT message that is held
    "watchdog_s": (int, 60),  # 0 = none; longer than a DNS look-up or TLS step may block
    "ntp": (list, ["pool.ntp.org", "time.google.com", "time.cloudflare.com"]),
    "log": (str, "info"),
    "extra_root": (str, ""),  # base64 of the DER of one more root that is trusted
}
_LIMITS: "dict[str, tuple[int, int]]" = {
    "port": (1, 65535),
    "keepalive_s": (2, 1200),
    "receive_limit": (1024, 131072),
    "watchdog_s": (0, 3600),
}


class Config:
    """The settings as attributes."""

    thing: str
    client_id: str
    endpoint: str
    port: int
    wifi: dict
    executor: bool
    keepalive_s: int
    receive_limit: int
    watchdog_s: int
    ntp: list
    log: str
    extra_root: str


def load(path: str = "/config.json", settings: str = SETTINGS) -> Config:
    """Read the configuration, what the board has changed of it included. Raises ConfigError."""
    read_json = borrow("reader").read_json
    members = read_json(path)
    try:
        return parse(dict(members, **read_json(settings)))
    except ConfigError:
        return parse(members)  # nothing changed yet, or damaged: the configuration stands


def parse(members: dict) -> Config:
    """Check the members. Raises ConfigError when one is missing, unknown or of the wrong kind."""
    for name in members:
        if name not in _MEMBERS:
            raise ConfigError("config.json: unknown member %s" % name)
    config = Config()
    for name, (kind, default) in _MEMBERS.items():
        setattr(config, name, _checked(name, members.get(name, default), kind))
    config.client_id = config.client_id or config.thing
    return config


def _checked(name: str, value: "Any", kind: "Any") -> "Any":
    if value is ...:
        raise ConfigError("config.json: %s is missing" % name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError("config.json: %s must be of type %s" % (name, kind.__name__))
    if name in _LIMITS:
        low, high = _LIMITS[name]
        if not low <= value <= high:
            raise ConfigError("config.json: %s must be between %d and %d" % (name, low, high))
    if name == "log" and value not in LEVELS:
        raise ConfigError("config.json: log must be one of %s" % ", ".join(LEVELS))
    return value
