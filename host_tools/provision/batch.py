"""Many things at once: their names, and the manifest that says what was made.

The manifest is written anew after each thing, so a batch that was cut short has one, too.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from host_tools import identity, paths
from host_tools.errors import UsageError
from host_tools.identity import ThingIdentity

_FIELD = re.compile(r"\{(?::(0?\d{1,2})d?)?\}")  # {} or {:03}
_MOST = 10_000
_EXAMPLE = "`provision 'sensor-{:03}' --count 20` makes sensor-001 to sensor-020"


def names(pattern: str, count: int | None, first: int = 1) -> list[str]:
    """Return the things' names: the pattern itself, or with --count numbers in its place for them.

    Raises UsageError for a pattern without such a place, or with several, and impossible names.
    """
    places = _FIELD.findall(pattern)
    if count is None:
        if places:
            raise UsageError(f"{pattern} stands for many things: how many?", _EXAMPLE)
        identity.check_thing_name(pattern)
        return [pattern]
    if not 1 <= count <= _MOST or first < 0:
        raise UsageError(f"--count must be 1 to {_MOST}, and --first 0 or more", _EXAMPLE)
    if len(places) != 1:
        raise UsageError(f"{pattern} needs one place for a number, {{}} or {{:03}}", _EXAMPLE)
    made = [
        _FIELD.sub(format(number, places[0]), pattern) for number in range(first, first + count)
    ]
    for each in made:
        identity.check_thing_name(each)
    return made


def manifest_path(things: list[str]) -> Path:
    """Return where the manifest of a batch goes if nobody says."""
    folder = paths.home() / "batches"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{things[0]}..{things[-1]}.json"
    return folder / name.replace(":", "=")


def manifest(things: list[str], made: list[ThingIdentity]) -> dict[str, Any]:
    """Return what the manifest says; it holds no secret, but names where the keys are."""
    done = {each.thing for each in made}
    return {
        "things": [{**each.as_dict(), "folder": str(each.folder)} for each in made],
        "missing": [each for each in things if each not in done],
    }


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write a manifest whole or not at all. Raises UsageError if it cannot be."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "--manifest FILE") from error
