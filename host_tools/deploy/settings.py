"""What /config.json and /board.json say, and which thing a board becomes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools import boards, defaults, paths
from host_tools.errors import ToolError, UsageError
from host_tools.identity import ThingIdentity, identity, provisioned
from host_tools.target import Target

CONFIG, BOARD = "/config.json", "/board.json"
SSID_VARIABLE = "JOBS_SANDBOX_WIFI_SSID"
PASSWORD_VARIABLE = "JOBS_SANDBOX_WIFI_PASSWORD"  # noqa: S105 (the name of a variable)
_VIRTUAL = "virtual"  # board definition, and an SSID: the virtual network takes any

# Members of /config.json (firmware/sandbox/config.py) that a deploy leaves as they are there.
_KEPT = (
    "wifi",
    "executor",
    "keepalive_s",
    "receive_limit",
    "watchdog_s",
    "ntp",
    "log",
    "download_root",
)


class NoWifiError(ToolError):
    """No Wi-Fi network is known for the board."""


@dataclass(frozen=True)
class Device:
    """Whom the board connects as, and where. `credentials`: file name → DER bytes."""

    thing: str
    client_id: str
    endpoint: str
    port: int
    credentials: dict[str, bytes]

    @classmethod
    def of(cls, made: ThingIdentity) -> Device:
        """Return the device of a provisioned thing; its client id is the thing's name."""
        return cls(made.thing, made.thing, made.endpoint, made.port, made.credentials())


def wifi(target: Target, ssid: str | None, password: str | None = None) -> dict[str, str] | None:
    """Return the Wi-Fi settings asked for, None to leave those on the board.

    The option comes first, then the environment, then sandbox.toml; the password is no option:
    arguments are seen by every user of a computer. A virtual board does not get the file's.
    `password` is one that was typed.
    """
    if password is not None:
        return {"ssid": ssid or "", "password": password}
    known = {} if target.board else defaults.load()
    ssid = ssid or os.environ.get(SSID_VARIABLE) or known.get("wifi_ssid")
    if ssid:
        filed = known.get("wifi_password", "") if ssid == known.get("wifi_ssid") else ""
        return {"ssid": ssid, "password": os.environ.get(PASSWORD_VARIABLE, filed)}
    return {"ssid": _VIRTUAL, "password": ""} if target.board else None


def config(device: Device, wanted_wifi: dict[str, str] | None, old: str) -> bytes:
    """Return /config.json; `old` is the one on the board, "" if none, whose settings are kept.

    Raises NoWifiError if no Wi-Fi network is known.
    """
    members: dict[str, Any] = {
        "thing": device.thing,
        "client_id": device.client_id,
        "endpoint": device.endpoint,
        "port": device.port,
    }
    members |= {name: value for name, value in _members(old).items() if name in _KEPT}
    if wanted_wifi is not None:
        members["wifi"] = wanted_wifi
    if not isinstance(members.get("wifi"), dict) or not members["wifi"].get("ssid"):
        raise NoWifiError(
            "no Wi-Fi network is known for the board",
            f"--wifi-ssid NAME, with the password in {PASSWORD_VARIABLE}",
        )
    return json.dumps(members, indent=1).encode() + b"\n"


def definition(target: Target, build: str, asked: str | None) -> str:
    """Return the name of the board's definition: as asked, else of its MicroPython build."""
    return asked or (_VIRTUAL if target.board else build.lower())


def board(name: str) -> bytes:
    """Return /board.json of a definition; ToolError if there is none of that name."""
    return json.dumps(boards.load(name).board_json(), indent=1).encode() + b"\n"


def choose_thing(target: Target, asked: str | None = None) -> ThingIdentity:
    """Return the thing for a board: the one asked for, last deployed, named after it, or the only
    one that no other board has become.

    Raises ToolError if none is provisioned, UsageError if it is not clear which.
    """
    if asked:
        return identity(asked)
    known = provisioned()
    own = f"sandbox-{target.board.name}" if target.board else ""
    free = _free(target, known)
    for name in (last_deployed(target).get("thing"), own, *(free if len(free) == 1 else ())):
        if name in known:
            return identity(name)
    if not known:
        raise ToolError("no thing is provisioned", f"`jobs-sandbox provision {own or 'NAME'}`")
    raise UsageError(f"which thing? provisioned are {', '.join(known)}", f"--thing {known[0]}")


def _free(target: Target, known: list[str]) -> list[str]:
    # Two boards with one client id would drive each other off the line
    others = [each for key, each in _deployed().items() if key != _key(target)]
    taken = {each.get("thing") for each in others if isinstance(each, dict)}
    return [name for name in known if name not in taken]


def remember(target: Target, thing: str, definition: str) -> None:
    """Keep in mind which thing the board has become, and by which definition."""
    _keep({**_deployed(), _key(target): {"thing": thing, "definition": definition}})


def forget(name: str) -> None:
    """Forget what the virtual board `name` has become: it has been erased."""
    deployed = _deployed()
    if deployed.pop(name, None) is not None:
        _keep(deployed)


def _keep(deployed: dict[str, Any]) -> None:
    temporary = _record().with_suffix(f".{os.getpid()}.new")
    temporary.write_text(json.dumps(deployed, indent=2))
    temporary.replace(_record())


def last_deployed(target: Target) -> dict[str, str]:
    """Return what `remember` kept: {"thing", "definition"}, or {}."""
    found = _deployed().get(_key(target))
    return found if isinstance(found, dict) else {}


def _key(target: Target) -> str:
    return target.board.name if target.board else target.device


def _deployed() -> dict[str, Any]:
    try:
        return _members(_record().read_text())
    except OSError:
        return {}


def _record() -> Path:
    return paths.home() / "deployed.json"


def _members(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
