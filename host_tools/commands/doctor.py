"""Look at this computer, the board and the cloud: what is wrong, why, and how to mend it.

One line for each check. A board that runs the sandbox goes on undisturbed. The exit status is 1 if
anything fails. --bundle writes what was found into a zip for a bug report, without keys,
certificates and passwords.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from host_tools import target
from host_tools.cloud import access

if TYPE_CHECKING:
    from host_tools.doctor import Check

_DONE, _FAILED = 0, 1
_COLOURS = {"ok": "32", "warn": "33", "FAIL": "31;1", "skip": "2"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `doctor`."""
    target.add_board_arguments(parser)
    parser.add_argument("--thing", metavar="NAME", help="default: the one the board is")
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.add_argument("--bundle", metavar="FILE", type=Path, help="write a zip for a bug report")
    access.add_cloud_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Make the checks and print them."""
    from host_tools import doctor
    from host_tools.output import result, result_json, say

    def show(check: Check) -> None:
        if not args.json:
            for line in _lines(check):
                result(line)

    found = doctor.examine(args, show)
    if args.json:
        failed = {"failed": found.failed}
        result_json({"checks": [check.as_dict() for check in found.checks], **failed})
    else:
        result(_summary(found.checks))
    if args.bundle:
        from host_tools.doctor import bundle

        bundle.write(args.bundle, found)
        say(f"{args.bundle} is for a bug report; look into it before you send it")
    return _FAILED if found.failed else _DONE


def _lines(check: Check) -> list[str]:
    verdict = check.verdict.value
    shown = f"{verdict:<4}"
    if sys.stdout.isatty():
        shown = f"\033[{_COLOURS[verdict]}m{shown}\033[0m"
    lines = [f"{shown}  {check.world:<5}  {check.name}: {check.text}"]
    return [*lines, f"        try: {check.fix}"] if check.fix else lines


def _summary(checks: list[Check]) -> str:
    counts = dict.fromkeys(_COLOURS, 0)
    for check in checks:
        counts[check.verdict.value] += 1
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
