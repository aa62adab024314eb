"""Show where things stand and the next sensible step; so does `jobs-sandbox` alone.

It looks at files only: no cloud and no board is asked.
"""

from __future__ import annotations

import argparse

from host_tools import overview
from host_tools.output import result, result_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    found = overview.look()
    if args.json:
        result_json(found.as_dict())
    else:
        result("\n".join(overview.lines(found)))
    return 0
