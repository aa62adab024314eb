"""Blink the LED of a board for some seconds, so that you see which one it is.

A running sandbox blinks and goes on; at MicroPython's prompt, a few lines are run. Any other
program is interrupted.
"""

from __future__ import annotations

import argparse

from host_tools import target as target_module
from host_tools.errors import UsageError
from host_tools.output import result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `identify`."""
    target_module.add_board_arguments(parser)
    parser.add_argument("--seconds", type=int, default=5, metavar="S", help="how long (5)")
    parser.add_argument(
        "--definition",
        metavar="BOARD",
        help="a name from `jobs-sandbox boards`, or a file; default: by the board's MicroPython",
    )


def run(args: argparse.Namespace) -> int:
    """Blink and say where."""
    if not 1 <= args.seconds <= 60:
        raise UsageError("--seconds must be from 1 to 60", "--seconds 5")
    target = target_module.resolve(args)
    from host_tools.real.identify import identify

    result(f"{target.label}: {identify(target, args.seconds, args.definition)}")
    return 0
