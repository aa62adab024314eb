"""Sends files to the board under temporary names, checked there, then switches to them at once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from host_tools import paths
from host_tools.deploy import scripts
from host_tools.deploy.plan import BOOT, MANIFEST, STAGED, SWITCH, Plan, sha256
from host_tools.deploy.raw_repl import RawRepl

Progress = Callable[[int, int], None]  # bytes sent, bytes in all

# Sizes of what is sent at once. mpremote's 256 bytes cost a round trip each; three copies of these
# (received, parsed, decoded) fit easily into the heap of an ESP32 that has just been soft-reset.
_CHUNK = 1536  # bytes of a file in one string
_BATCH = 2600  # characters of one script
_SWITCH_S = 30


def send(repl: RawRepl, plan: Plan, progress: Progress) -> None:
    """Put what the plan changes on the board, as NAME.new; needs scripts.HELPERS run before."""
    sent, batch, size = 0, "", 0
    progress(0, plan.size)
    for statement, count in _statements(plan):
        if batch and len(batch) + len(statement) > _BATCH:
            repl.run(batch)
            sent += size
            progress(sent, plan.size)
            batch, size = "", 0
        batch += statement
        size += count
    if batch:
        repl.run(batch)
    progress(plan.size, plan.size)


def switch(repl: RawRepl, plan: Plan) -> None:
    """Remove what the plan removes and rename what was sent, the manifest last; a power cut at any
    moment leaves the old application, or what boot.py turns into the new one.
    """
    renamed = sorted(plan.changed, key=lambda name: (name == MANIFEST, name))
    boot = BOOT in renamed
    renamed = [name for name in renamed if name != BOOT]
    removed = [name for name in plan.removed if name != SWITCH]  # the new list replaces it
    script = scripts.SWITCH.format(
        todo=SWITCH,
        staged=STAGED,
        lines=[*("-" + name for name in removed), *("+" + name for name in renamed)],
        boot=boot,
        finish=(paths.ROOT / "firmware" / BOOT[1:]).read_text(),
    )
    repl.run(script, timeout_s=_SWITCH_S)


def _statements(plan: Plan) -> Iterator[tuple[str, int]]:
    # (a statement for the board, the bytes of a file in it)
    for name in plan.changed:
        if name in plan.staged:
            continue
        content = plan.files[name]
        yield f"begin({name + STAGED!r})\n", 0
        for start in range(0, len(content), _CHUNK):
            chunk = content[start : start + _CHUNK]
            yield f"add({base64.b64encode(chunk).decode()!r})\n", len(chunk)
        yield f"end({name + STAGED!r}, {sha256(content)!r})\n", 0
