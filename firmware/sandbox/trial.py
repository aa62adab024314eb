"""Settings on trial, set by a job (operations/set_config): if the board does not come online with
them in time, the old ones are put back. Loaded at the start, given up when that is decided.

/state/trial.json: {"old": the settings before, "boots", "deadline_s"}; after a roll-back
{"failed"}, for the operation to tell.
"""

import asyncio
import os

from micropython import const

from . import files
from .errors import ConfigError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .app import App

_TRIAL = files.STATE + "/trial.json"
_MOST_BOOTS = const(4)  # of a board that resets again and again with the new settings


async def watch(app: "App") -> None:
    """Wait for the link, at most until the deadline; keep the settings, or put the old ones back
    and reset.
    """
    try:
        trial = borrow("reader").read_json(_TRIAL)
        old, deadline_s, boots = trial["old"], trial["deadline_s"], trial["boots"]
    except (ConfigError, KeyError):
        return  # nothing is on trial
    try:
        left_s = deadline_s if app.board.boots - boots <= _MOST_BOOTS else 0
        await asyncio.wait_for(app.link.online.wait(), left_s)
        os.remove(_TRIAL)
    except asyncio.TimeoutError:
        app.log.error("app", "not online with the new settings: the old ones are put back")
        files.write_json(files.SETTINGS, old)
        files.write_json(_TRIAL, {"failed": True})
        await app.link.disconnect()
        app.board.reset()
