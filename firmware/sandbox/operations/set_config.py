"""Changes settings: {"operation": "set-config", "log": "debug"}. Kept over resets and deploys.

What takes a restart is on trial: if the board does not come online with it within `deadline_s`,
the old settings are put back (`trial`).
"""

from micropython import const

from sandbox.errors import ConfigError, JobFailed
from sandbox.files import SETTINGS, STATE, write_json
from sandbox.lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sandbox.steps import Job

ARGUMENTS = {
    "executor": ("bool",),
    "log": ("choice", "error", "warning", "info", "debug"),
    "keepalive_s": ("int", 30, 1200),
    "watchdog_s": ("int", 30, 3600),
    "ntp": ("hosts", 4),
    "deadline_s": ("int", 10, "duration_s"),
}
OPTIONAL = {
    "deadline_s": 120,
    "executor": None,
    "log": None,
    "keepalive_s": None,
    "watchdog_s": None,
    "ntp": None,
}
_LIVE = const(("executor", "log"))  # need no restart
_TRIAL = STATE + "/trial.json"


def TIMEOUT_S(arguments: dict) -> int:  # noqa: N802  a constant for most operations
    """Return how long it may take."""
    return arguments["deadline_s"] + 60


async def run(arguments: dict, job: "Job") -> dict:
    """Write the settings and restart; called again online, tell whether they are in force."""
    changes = {
        name: value
        for name, value in arguments.items()
        if value is not None and name != "deadline_s"
    }
    if not job.saved:
        old = _read(SETTINGS)
        job.save({"trying": True})
        if all(name in _LIVE for name in changes):
            write_json(SETTINGS, dict(old, **changes))
            _apply(changes, job)
        else:
            await job.report({"step": "restarting"})
            trial = {"old": old, "boots": job.board.boots, "deadline_s": arguments["deadline_s"]}
            write_json(_TRIAL, trial)
            write_json(SETTINGS, dict(old, **changes))
            await job.restart()
    elif "failed" in _read(_TRIAL) or not _in_force(changes, job):
        raise JobFailed("ROLLED_BACK", "not online with these settings: the old ones are back")
    return {"changed": ", ".join(sorted(changes)) or "nothing"}


def _apply(changes: dict, job: "Job") -> None:
    if "log" in changes:
        job.log.level = changes["log"]
    if "executor" in changes:
        job.executor.enable(changes["executor"])


def _in_force(changes: dict, job: "Job") -> bool:
    return all(
        name in _LIVE or getattr(job.config, name) == value for name, value in changes.items()
    )


def _read(path: str) -> "dict[str, Any]":
    try:
        return borrow("reader").read_json(path)
    except ConfigError:
        return {}
