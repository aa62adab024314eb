"""Where things stand, and the next sensible step: from files alone, without asking any cloud."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from host_tools import defaults, deployed, paths
from host_tools.cloud import info

_ANY_PORT = "auto"  # host_tools.target.AUTO
_PROMPT = b">>> "


@dataclass(frozen=True)
class Overview:
    """`cloud`: where the local one listens, "" if it does not run. `boards`: name → tty, of those
    that run; `stopped`: the others there are. `things`: name → cloud. `deployed`: board or port →
    thing. `deployed_at`: Unix time or None. `at_repl`: running boards whose sandbox has ended.
    """

    settings: dict[str, str]
    cloud: str
    boards: dict[str, str]
    stopped: list[str]
    things: dict[str, str]
    deployed: dict[str, str]
    deployed_at: float | None
    at_repl: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {**asdict(self), "next": self.next_step()[0]}

    def next_step(self) -> tuple[str, str]:
        """Return the next command that makes sense, and why."""
        wanted = "aws" if self.settings.get("cloud") == "aws" else "local"
        port = self.settings.get("port")
        board = self._board()
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
            others = f"; {_listed(list(self.boards))} run" if self.boards else ""
            command = f"jobs-sandbox board start {board}"
            return command.removesuffix(f" {deployed.DEFAULT_BOARD}"), f"{board} is off{others}"
        thing = self.settings.get("thing")
        taken = set(self.deployed.values()) - self._deployed_on(port or board)
        fitting = [
            name
            for name, cloud in self.things.items()
            if cloud == wanted and (name == thing or name not in taken)
        ]
        proposed = deployed.proposed_thing(None if port else board)
        if thing not in fitting if thing else not fitting:
            return f"jobs-sandbox provision {thing or proposed}", "the board needs a thing"
        if not self._deployed_on(port or board) & set([thing] if thing else fitting):
            is_clear = thing or len(fitting) == 1 or board in fitting
            which = proposed if proposed in fitting else fitting[0]
            command = "jobs-sandbox deploy" + ("" if is_clear else f" --thing {which}")
            return command, "the board has no firmware yet, or is another thing"
        if not port and board in self.at_repl:
            return "jobs-sandbox console --start", "the sandbox on the board has ended"
        return "jobs-sandbox console", "or make a job: `jobs-sandbox job run gpio,led,on --watch`"

    def board_lines(self) -> list[str]:
        """Return a line for each board: those that run, the one that commands mean first; those
        that are off; those on ports that have been deployed to.
        """
        running = sorted(self.boards, key=lambda name: (name != self._board(), name))
        found = [
            f"{name} runs{self._as(name)}{self._at_repl(name)}, on {self.boards[name]}"
            for name in running
        ]
        found += [
            f"{where}{self._as(where)}" + ("" if Path(where).exists() else ", not plugged in")
            for where in self.deployed
            if "/" in where
        ]
        if self.stopped:
            found.append(f"off: {_listed(self.stopped, 6)}; `jobs-sandbox board start NAME`")
        return found or ["none runs; `jobs-sandbox board start`"]

    def cloud_line(self) -> str:
        """Return the line for the cloud that commands mean, and the local one if it runs."""
        url = self.settings.get("endpoint_url")
        if self.settings.get("cloud") != "aws" and not url:
            return self.cloud or "the local IoT Core is not running"
        meant = url or ", ".join(filter(None, ["AWS", self.settings.get("region")]))
        return meant + (f"; the local IoT Core runs, too, at {self.cloud}" if self.cloud else "")

    def _at_repl(self, name: str) -> str:
        ended = name in self.at_repl and name in self.deployed
        return ", at the MicroPython REPL" if ended else ""

    def _board(self) -> str:
        return self.settings.get("board", deployed.DEFAULT_BOARD)

    def _as(self, where: str) -> str:
        return f" as {self.deployed[where]}" if where in self.deployed else ", nothing deployed"

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
    things = deployed.things()
    boards = _boards(home / "boards")
    return Overview(
        settings={key: value for key, value in settings.items() if key != "wifi_password"},
        cloud=running.endpoint_url if running else "",
        boards=boards,
        stopped=_stopped(home / "boards", boards),
        things=_things(home / "things"),
        deployed=things,
        deployed_at=deployed.latest(),
        at_repl=[name for name in boards if _is_at_repl(home / "boards" / name)],
    )


def lines(found: Overview) -> list[str]:
    """Return it as a person reads it."""
    step, why = found.next_step()
    there = {*found.boards, *found.stopped}
    in_use = {name for where, name in found.deployed.items() if where in there or "/" in where}
    in_use.add(found.settings.get("thing", ""))
    things = [
        f"{name} ({cloud})"
        for name, cloud in sorted(found.things.items(), key=lambda each: each[0] not in in_use)
    ]
    boards = found.board_lines()
    return [
        f"settings  {_settings(found.settings)}",
        f"cloud     {found.cloud_line()}",
        f"boards    {boards[0]}",
        *(f"          {board}" for board in boards[1:]),
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
    if not found.deployed:
        return "nothing yet"
    if found.deployed_at is None:  # kept by an older version
        return "some time ago"
    return _ago(time.time() - found.deployed_at)


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


def _is_at_repl(folder: Path) -> bool:
    # by the last that it printed: it is not asked
    try:
        with (folder / "serial.log").open("rb") as file:
            file.seek(-len(_PROMPT), os.SEEK_END)
            return file.read() == _PROMPT
    except OSError:  # there is none, or next to nothing in it
        return False


def _stopped(folder: Path, running: dict[str, str]) -> list[str]:
    # `private`: of a command that was killed, host_tools.sandbox.private_board
    return sorted(
        path.parent.name
        for path in folder.glob("*/flash.img")
        if path.parent.name not in running and not (path.parent / "private").exists()
    )


def _things(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.glob("*/thing.json")):
        known = _members(path)
        if isinstance(known.get("thing"), str):
            found[str(known["thing"])] = str(known.get("cloud", ""))
    return found


def _members(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
