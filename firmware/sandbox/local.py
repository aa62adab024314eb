"""The console's commands that have nothing to do with the cloud: what the board can do, and doing
it. Loaded for one, in the manner of `commands`.
"""

import json
import os

from micropython import const

from .errors import JobFailed
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .app import App
    from .commands import Write

_FAILED = const(1)


async def operations(app: "App", write: "Write") -> None:
    """List the operations and their arguments, those that may be missing in brackets."""
    load = borrow("arguments").load
    for file in sorted(os.listdir(__file__.rsplit("/", 1)[0] + "/operations")):
        if not file.startswith("_"):
            name = file.split(".")[0].replace("_", "-")
            write("%s%s" % (name, _arguments(load(name))))


async def run(app: "App", write: "Write", text: str) -> "int | None":
    """Run a document, JSON or a command such as gpio,led,on; nothing is told to the cloud."""
    executor = app.executor
    entry = executor.journal.entry
    if entry:
        done = entry.get("phase") == "final"
        write(
            "run: the board %s %s" % ("has to report" if done else "works on", entry.get("jobId"))
        )
        return _FAILED
    enabled, executor.enabled = executor.enabled, False
    status = None
    try:
        steps = _plan(text, app)
        result = await borrow("steps").Run(_Local(executor), steps, True).work()
    except JobFailed as end:
        result, status = {"code": end.args[0], "reason": end.args[1]}, _FAILED
    finally:
        executor.enable(enabled)
    clean = borrow("details").clean(result)
    write("run %s: %s" % ("failed" if status else "result", json.dumps(clean)))
    return status


class _Local:
    """Stands in for the executor: its journal stays in memory."""

    def __init__(self, executor: "Any") -> None:
        self._executor = executor
        self.journal = self
        self.entry: "dict[str, Any]" = {"step": 0, "saved": {}}

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._executor, name)

    def advance(self, step: int, saved: dict) -> None:
        self.entry = dict(self.entry, step=step, saved=saved)


def _plan(text: str, app: "App") -> list:
    document: "Any" = None
    if text[:1] in "{[":
        try:
            document = json.loads(text)
        except ValueError:
            pass  # is rejected, since it is no object
    else:
        action = {"name": "run", "type": "runCommand", "input": {"command": text}}
        document = {"version": "1.0", "steps": [{"action": action}]}
    steps = borrow("plan").parse({"jobDocument": document}, app.board)
    return borrow("arguments").check(steps, app.board)


def _arguments(operation: "Any") -> str:
    places = list(getattr(operation, "ARGV", ()))
    optional = getattr(operation, "OPTIONAL", {})
    text = ""
    for name in places + sorted(set(operation.ARGUMENTS) - set(places)):
        rule = operation.ARGUMENTS[name]
        what = "%s=%s" % (name, "|".join(rule[1:]) if rule[0] == "choice" else rule[0])
        text += " [%s]" % what if name in optional else " " + what
    return text
