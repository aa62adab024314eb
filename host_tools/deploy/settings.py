"""What /config.json and /board.json say, and which thing a board becomes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from host_tools import boards, defaults, deployed
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
    "extra_root",
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
    """Return the thing for a board: the one asked for, last deployed, named as the board is, or
    the only one that no other board has become.

    Raises ToolError if none is provisioned, UsageError if it is not clear which.
    """
    return chosen(target, asked)[0]


def chosen(target: Target, asked: str | None = None) -> tuple[ThingIdentity, str]:
    """Return the thing for a board, as `choose_thing` does, and why it is that one."""
    if asked:
        return identity(asked), "as asked for"
    known = provisioned()
    own = target.board.name if target.board else ""
    free = _free(target, known)
    choices = (
        (last_deployed(target).get("thing"), "as last time"),
        (own, "named as the board is"),
        (free[0] if len(free) == 1 else None, _only(known)),
    )
    for name, why in choices:
        if name in known:
            return identity(name), why
    proposed = f"`jobs-sandbox provision {deployed.proposed_thing(own)}`"
    if not known:
        raise ToolError("no thing is provisioned", proposed)
    if not free:
        boards_by_thing = {thing: where for where, thing in deployed.things().items()}
        taken = ", ".join(f"{name} on {boards_by_thing[name]}" for name in known)
        raise UsageError(
            f"which thing? each has a board already: {taken}",
            f"{proposed}, for one of its own; --thing {known[0]} if it moves here",
        )
    raise UsageError(f"which thing? provisioned are {', '.join(known)}", f"--thing {known[0]}")


def _only(known: list[str]) -> str:
    return "the only one provisioned" if len(known) == 1 else "the only one without a board"


def _free(target: Target, known: list[str]) -> list[str]:
    # Two boards with one client id would drive each other off the line
    taken = {thing for where, thing in deployed.things().items() if where != target.key}
    return [name for name in known if name not in taken]


def others_with(target: Target, thing: str) -> list[str]:
    """Return the other boards that have become this thing, those left out that are no more."""
    return [
        where
        for where, became in deployed.things().items()
        if became == thing and where != target.key and deployed.exists(where)
    ]


def remember(target: Target, thing: str, definition: str) -> None:
    """Keep in mind which thing the board has become, and by which definition."""
    deployed.remember(target.key, thing, definition)


def last_deployed(target: Target) -> dict[str, str]:
    """Return what `remember` kept: {"thing", "definition"}, or {}."""
    return deployed.last(target.key)


def _members(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
