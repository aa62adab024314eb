"""The record of the figures, committed beside this file: bytes and counts as they are, timings
as ratios. `make size ARGS=--record` and `make bench ARGS=--record` renew their members of it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from host_tools.paths import ROOT

FILE = Path(__file__).with_name("record.json")


def committed() -> dict[str, Any]:
    """Return the last commit's record; the file as it is where there is no git; {} if neither."""
    name = FILE.relative_to(ROOT).as_posix()
    try:
        shown = subprocess.run(
            ["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        found: dict[str, Any] = json.loads(shown.stdout)
    except (OSError, subprocess.CalledProcessError):
        return load()
    return found


def load() -> dict[str, Any]:
    """Return the record as it lies in the file."""
    if not FILE.exists():
        return {}
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def keep(**members: Any) -> None:
    """Put members into the record, in place of what it has of their names."""
    FILE.write_text(_text({**load(), **members}) + "\n")


def heap_ratio_32(name: str) -> float | None:
    """Return how much more heap is in use in 32 bit than halved 64 bit, as last measured; None if
    never.
    """
    exact = load().get("bench", {}).get("exact", {})
    true, halved = exact.get(f"heap32 {name}"), exact.get(f"heap {name}")
    return true / halved if true and halved else None


def _text(value: Any, indent: str = "") -> str:
    # JSON with a line for each object that holds no other, so that a change reads as one
    if not isinstance(value, dict) or not any(isinstance(each, dict) for each in value.values()):
        return json.dumps(value)
    deeper = indent + " "
    members = (f"{deeper}{json.dumps(k)}: {_text(v, deeper)}" for k, v in sorted(value.items()))
    return "{\n" + ",\n".join(members) + f"\n{indent}}}"
