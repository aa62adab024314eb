"""What boards have become: which thing, by which definition, when; in deployed.json of the state
folder.

A virtual board goes by its name, a real one by its port. Imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from host_tools import paths

DEFAULT_BOARD = "sandbox"  # host_tools.board.DEFAULT_BOARD; importing that takes a while
_FIRST_THING = "my-thing"


def remember(where: str, thing: str, definition: str) -> None:
    """Keep in mind which thing a board has become now, and by which definition."""
    record = {"thing": thing, "definition": definition, "at": time.time()}
    _keep({**known(), where: record})


def forget(where: str) -> None:
    """Forget what a board has become: it has been erased."""
    deployed = known()
    if deployed.pop(where, None) is not None:
        _keep(deployed)


def last(where: str) -> dict[str, str]:
    """Return what `remember` kept: {"thing", "definition"}, or {}."""
    found = _records().get(where, {})
    return {name: str(found[name]) for name in ("thing", "definition") if name in found}


def things() -> dict[str, str]:
    """Return board → thing, also of boards that are no more: a demo's thing stays the demo's."""
    return {where: str(each["thing"]) for where, each in _records().items() if "thing" in each}


def latest() -> float | None:
    """Return the Unix time at which a board has last become something, None if none has."""
    times = [each["at"] for each in _records().values() if isinstance(each.get("at"), int | float)]
    return max(times, default=None)


def exists(where: str) -> bool:
    """Say whether there is such a board, which may be unplugged or off."""
    # a port is told from a virtual board's name by its slash
    return "/" in where or (paths.home() / "boards" / where).is_dir()


def proposed_thing(board: str | None) -> str:
    """Return the name to propose for the thing of a virtual board, or None for a real one.

    The first board's is what README.md calls it; another's is the board's own name.
    """
    return _FIRST_THING if board in (None, "", DEFAULT_BOARD) else str(board)


def file() -> Path:
    """Return where it is kept."""
    return paths.home() / "deployed.json"


def known() -> dict[str, Any]:
    """Return all of it, {} if there is nothing."""
    try:
        found = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _records() -> dict[str, dict[str, Any]]:
    return {where: each for where, each in known().items() if isinstance(each, dict)}


def _keep(deployed: dict[str, Any]) -> None:
    temporary = file().with_suffix(f".{os.getpid()}.new")
    temporary.write_text(json.dumps(deployed, indent=2))
    temporary.replace(file())
