"""How large the application is: each module as source, as .mpy, and in the heap once imported.

Heap is in bytes of a board: what the Unix port takes, halved, since its words are twice as long.
That is too little for what is no words, strings and bytecode; a 32-bit MicroPython tells the
truth.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from host_tools import paths
from host_tools.deploy import build
from host_tools.deploy.residents import module_name, residents
from tests.benchmarks import interpreters

_BEFORE = ("asyncio", "json", "umqtt.simple")  # an ESP32 has them frozen in its flash


def measure() -> dict[str, Any]:
    """Return {"modules": {name: {"py", "mpy", "heap", "heap32", "stays"}}, "files": {name: bytes},
    "totals": {…}}. The heap32 members are there if $MICROPYTHON32 is.
    """
    files = build.application(umqtt=False)
    modules = {
        module_name(path): {"py": _source(path), "mpy": len(files[path])} for path in _mpy(files)
    }
    resident = residents(list(modules))
    borrowed = [name for name in modules if name not in resident]
    wanted = {"before": _BEFORE, "resident": resident, "borrowed": borrowed}
    totals: dict[str, int] = {
        "mpy": sum(module["mpy"] for module in modules.values()),
        "flash": sum(map(len, files.values())),
    }
    for found, suffix, words in _heap(wanted):
        for name, taken in found["modules"].items():
            modules[name]["heap" + suffix] = taken // words
        totals["resident" + suffix] = found["resident"] // words
        totals["names" + suffix] = found["names"] // words
    for name in resident:
        modules[name]["stays"] = 1
    others = {name: len(data) for name, data in files.items() if not name.endswith(".mpy")}
    return {"totals": totals, "modules": modules, "files": others}


def _heap(wanted: dict[str, Any]) -> list[tuple[Any, str, int]]:
    # (what the script found, suffix, size of a word in a board's words) of each interpreter
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, content in build.application(umqtt=True).items():
            path = folder / name[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "modules.json").write_text(json.dumps(wanted))
        found = [(interpreters.run("modules.py", folder), "", interpreters.words())]
        true = interpreters.run_32("modules.py", folder)
        return found + ([(true, "32", 1)] if true else [])


def _mpy(files: dict[str, bytes]) -> list[str]:
    return [name for name in files if name.endswith(".mpy")]


def _source(path: str) -> int:
    return (paths.FIRMWARE / path[1:]).with_suffix(".py").stat().st_size
