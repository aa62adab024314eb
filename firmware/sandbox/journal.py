"""The record in flash of the job execution under way: what makes a job's effect happen once.

One entry at a time, {} when idle, keyed by (jobId, executionNumber):

    {"jobId", "executionNumber", "version",      the execution, and its version as last known
     "phase": "running", "attempt": how often it was begun or resumed,
     "step": n, "saved": {}                      step n is about to act; `saved` is for its
                                                 operation, to go on after a reset
     "began": by the clock                       when it was first begun
     "out": "…"                                  what the steps said, for `stdout`
     "phase": "final", "status", "details"}      the outcome, kept until the service has it

It is written, by temporary file and rename, before an effect. A power cut leaves the old entry or
the new one.
"""

import os

from . import files
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .log import Log

_PATH = files.STATE + "/journal.json"


class Journal:
    """The entry, as a dict, and its life in flash: `work` begins it, `delivery` ends it."""

    def __init__(self, log: "Log") -> None:
        self.entry: "dict[str, Any]" = borrow("recovery").load(_PATH, log)

    def write(self, entry: dict) -> None:
        """Replace the entry. When OSError says that the flash is full, it stays as it was."""
        files.write_json(_PATH, entry)
        self.entry = entry

    def advance(self, step: int, saved: dict) -> None:
        """Record that `step` is about to act, with what it needs to be finished after a reset."""
        self.write(dict(self.entry, step=step, saved=saved))

    def clear(self) -> None:
        """Forget the entry: the service has the outcome, or has forgotten the execution."""
        self.entry = {}
        try:
            os.remove(_PATH)
        except OSError:
            pass
