"""What the commands print: progress to a person on stderr, results on stdout, JSON for scripts."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any


def say(text: str) -> None:
    """Tell the person what is going on. Goes to stderr, so that stdout holds results only."""
    print(text, file=sys.stderr, flush=True)


def say_command(argv: Sequence[str]) -> None:
    """Show the raw command that does the same as the step under way."""
    say("  $ " + shlex.join(argv))


def result(text: str) -> None:
    """Print a result line on stdout."""
    print(text, flush=True)


def result_json(value: Any) -> None:
    """Print a result as one JSON document on stdout."""
    print(json.dumps(value, indent=2, sort_keys=True, default=str), flush=True)
