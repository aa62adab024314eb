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
import time

from . import files
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .log import Log

_PATH = files.STATE + "/journal.json"


class Journal:
    """The entry, as a dict, and its life in flash. Writing raises OSError when the flash is
    full.
    """

    def __init__(self, log: "Log", path: str = _PATH) -> None:
        self._path = path
        self.entry: "dict[str, Any]" = borrow("recovery").load(path, log)

    def begin(self, job_id: str, execution_number: int, version: int, attempt: int) -> None:
        """Open the entry of an execution that is about to run; from the second attempt on, keep
        step and saved.
        """
        entry = dict(self.entry)
        if attempt == 1:
            entry = {"phase": "running", "step": 0, "saved": {}, "began": int(time.time())}
        entry.update(
            {
                "jobId": job_id,
                "executionNumber": execution_number,
                "version": version,
                "attempt": attempt,
            }
        )
        self._write(entry)

    def advance(self, step: int, saved: dict) -> None:
        """Record that `step` is about to act, with what it needs to be finished after a reset."""
        self._write(dict(self.entry, step=step, saved=saved))

    def finish(self, execution: dict, outcome: dict) -> None:
        """Record how an execution ended, {"status", "details"}, until `clear`.

        The entry is kept in memory even when OSError says that the flash did not take it.
        """
        entry = {
            "jobId": execution["jobId"],
            "executionNumber": execution.get("executionNumber", 1),
            "version": execution.get("versionNumber", 0),
            "phase": "final",
        }
        if self.entry:  # its version is newer when progress was reported
            entry["version"] = self.entry["version"]
        entry.update(outcome)
        self.entry = entry
        self._write(entry)

    def clear(self) -> None:
        """Forget the entry: the service has the outcome, or has forgotten the execution."""
        self.entry = {}
        try:
            os.remove(self._path)
        except OSError:
            pass

    def _write(self, entry: dict) -> None:
        files.write_json(self._path, entry)
        self.entry = entry
