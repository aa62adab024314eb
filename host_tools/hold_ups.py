"""What keeps a board from running the jobs that wait for it, as its console's `status` tells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from host_tools.console.protocol import Line
from host_tools.target import Target

_STATUS = re.compile(r"^([a-z ]+): (.*)$")


def parse(lines: Iterable[str]) -> dict[str, str]:
    """Return the lines of `status` by their names; the log between them is left out."""
    found = (_STATUS.match(line) for line in lines if not Line(line).log_level)
    return {each[1]: each[2] for each in found if each}


def executor(target: Target, status: dict[str, str]) -> tuple[str, str]:
    """Return why the executor runs no job and the next step, two empty strings if it does."""
    if not status.get("executor", "").startswith("off"):
        return "", ""
    on = target.command("console --command 'executor on'")
    by_hand = f"or by hand, with the commands of {target.command('console')}"
    return "the executor is off: nothing there runs a job", f"{on}; {by_hand}"


def link(status: dict[str, str]) -> str:
    """Return why no job reaches the board, "" if it is connected."""
    value = status.get("link", "online")
    if value.startswith("online"):
        return ""
    return f"the board is not connected ({value}): the job waits until it is"
