"""Says what runs out of .venv, and how to stop it, before `make clean` takes that away."""

from __future__ import annotations

import sys

from host_tools.board import list_boards
from host_tools.cloud import local
from host_tools.output import say

RUNNING = 3  # no other status keeps `make clean` from it: an environment may be broken


def main() -> int:
    """Return the exit status: RUNNING if a local cloud or a board runs, 0 if not."""
    boards = [info.name for info in list_boards()]
    found = [f"board {name}" for name in boards]
    stops = [f"jobs-sandbox board stop {name}" for name in boards]
    if local.status() is not None:
        found.append("the local IoT Core")
        stops.append("jobs-sandbox cloud stop")
    if not found:
        return 0
    say(f"clean: nothing is removed, for this runs out of .venv: {', '.join(found)}")
    say(f"  try: {'; '.join(stops)}")
    return RUNNING


if __name__ == "__main__":
    sys.exit(main())
