"""Where things stand, and the next sensible step: from files alone, without asking any cloud."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from host_tools import defaults, paths
from host_tools.cloud import info

_DEFAULT_BOARD = "sandbox"  # host_tools.board.DEFAULT_BOARD; importing that takes a while
_ANY_PORT = "auto"  # host_tools.target.AUTO


@dataclass(frozen=True)
class Overview:
    """`cloud`: where the local one listens, "" if it does not run. `boards`: name → tty, of those
    that run. `things`: name → cloud. `deployed`: board or port → thing. `deployed_at`: Unix time
    or None.
    """

    settings: dict[str, str]
    cloud: str
    boards: dict[str, str]
    things: dict[str, str]
    deployed: dict[str, str]
    deployed_at: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {**asdict(self), "next": self.next_step()[0]}

    def next_step(self) -> tuple[str, str]:
        """Return the next command that makes sense, and why."""
        wanted = "aws" if self.settings.get("cloud") == "aws" else "local"
        port = self.settings.get("port")
        board = self.settings.get("board", _DEFAULT_BOARD)
        own_cloud = wanted == "local" and "endpoint_url" not in self.settings
        if not (self.things or self.boards or self.cloud or self.settings):
            return (
                "jobs-sandbox demo",
                "shows it all in a minute; `jobs-sandbox init` is for yours",
            )
        if own_cloud and not self.cloud:
            return "jobs-sandbox cloud start", "the local IoT Core is not running"
        if port and port != _ANY_PORT and not Path(port).exists():
            return f"ls {port}", "that is the board's port: is it plugged in?"
        if not port and board not in self.boards:
            return f"jobs-sandbox board start {board}".removesuffix(" sandbox"), "no board runs"
        thing = self.settings.get("thing")
        fitting = [name for name, cloud in self.things.items() if cloud == wanted]
        if thing not in fitting if thing else not fitting:
            return f"jobs-sandbox provision {thing or 'my-thing'}", "the board needs a thing"
        if not self._deployed_on(port or board) & set([thing] if thing else fitting):
            return "jobs-sandbox deploy", "the board has no firmware yet, or is another thing"
        return "jobs-sandbox console", "or make a job: `jobs-sandbox aws iot create-job help`"

    def _deployed_on(self, where: str) -> set[str]:
        # things; a port is told from a virtual board's name by its slash
        return {
            thing
            for board, thing in self.deployed.items()
            if board == where or (where == _ANY_PORT and "/" in board)
        }


def look() -> Overview:
    """Return where things stand. Raises ToolError for a sandbox.toml that is wrong."""
    settings = defaults.load()
    home = paths.home()
    running = info.running(home / "cloud") if (home / "cloud").exists() else None
    deployed, deployed_at = _deployed(home / "deployed.json")
    return Overview(
        settings={key: value for key, value in settings.items() if key != "wifi_password"},
        cloud=running.endpoint_url if running else "",
        boards=_boards(home / "boards"),
        things=_things(home / "things"),
        deployed=deployed,
        deployed_at=deployed_at,
    )


def lines(found: Overview) -> list[str]:
    """Return it as a person reads it."""
    step, why = found.next_step()
    things = [f"{name} ({cloud})" for name, cloud in found.things.items()]
    boards = [f"{name} on {tty}" for name, tty in found.boards.items()]
    return [
        f"settings  {_settings(found.settings)}",
        f"cloud     {found.cloud or 'the local IoT Core is not running'}",
        f"boards    {_listed(boards) or 'no virtual board runs'}",
        f"things    {_listed(things) or 'none provisioned'}",
        f"deployed  {_last(found)}",
        "",
        f"next      {step}",
        f"          {why}",
    ]


def _settings(known: dict[str, str]) -> str:
    if not known:
        return "none; `jobs-sandbox init` writes sandbox.toml"
    shown = [f"{key} {value}" for key, value in known.items() if not key.startswith("wifi")]
    return ", ".join(shown) or str(defaults.path())


def _listed(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _last(found: Overview) -> str:
    if not found.deployed or found.deployed_at is None:
        return "nothing yet"
    shown = [f"{thing} on {board}" for board, thing in found.deployed.items()]
    return f"{_listed(shown)}; last {_ago(time.time() - found.deployed_at)}"


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if (number := int(seconds // size)) > 0:
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def _boards(folder: Path) -> dict[str, str]:
    if not any(folder.glob("*/running.json")):
        return {}
    from host_tools.board import list_boards

    return {each.name: each.tty for each in list_boards()}


def _things(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.glob("*/thing.json")):
        known = _members(path)
        if isinstance(known.get("thing"), str):
            found[str(known["thing"])] = str(known.get("cloud", ""))
    return found


def _deployed(path: Path) -> tuple[dict[str, str], float | None]:
    # host_tools.deploy.settings.remember writes it
    known = _members(path)
    things = {
        board: str(each["thing"])
        for board, each in known.items()
        if isinstance(each, dict) and "thing" in each
    }
    return things, path.stat().st_mtime if things else None


def _members(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
