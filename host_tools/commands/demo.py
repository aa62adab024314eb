"""Show it all, and check it: a local IoT Core, a virtual board, jobs made by the AWS CLI.

First the walkthrough of the AWS sample, by hand, then jobs that the board runs by itself. On a
terminal the board's console follows. Exit status 1 if anything does not happen as it must. What
the demo starts ends with it; what ran before is left alone.
"""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `demo`."""
    parser.add_argument("--fast", action="store_true", help="no pauses for reading")
    parser.add_argument("--no-console", action="store_true", help="end without the console")


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    from host_tools.console import ending
    from host_tools.demo import scene
    from host_tools.output import if_interrupted

    on_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not args.no_console
    with ending.in_order(), if_interrupted("what the demo started is stopped"):
        return scene.run(fast=args.fast, on_terminal=on_terminal)
