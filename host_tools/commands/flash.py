"""Put MicroPython on a board on USB, from a blank chip on.

The chip is detected, the build for it chosen, its firmware taken from --firmware, the cache or
micropython.org, checked, written and verified. A blank board is erased first; one with MicroPython
keeps its files; for any other, say --erase or --no-erase. Then: `jobs-sandbox deploy --port TTY`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from host_tools.errors import ToolError, UsageError
from host_tools.output import result, result_json, say
from host_tools.target import AUTO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `flash`."""
    parser.add_argument("--port", metavar="TTY", help="serial device (the only one on USB)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--firmware", metavar="FILE", type=Path, help="a .bin file for the board")
    source.add_argument(
        "--version", default="1.28.0", metavar="X.Y.Z", help="which one to get (1.28.0), or newest"
    )
    parser.add_argument(
        "--definition",
        metavar="BOARD",
        help="a name from `jobs-sandbox boards`, or a file; default: by the chip",
    )
    erase = parser.add_mutually_exclusive_group()
    erase.add_argument("--erase", action="store_true", default=None, help="erase all of the flash")
    erase.add_argument("--no-erase", dest="erase", action="store_false", help="keep what is there")
    parser.add_argument("--baud", type=int, default=460800, help="speed (460800), at first")
    parser.add_argument(
        "--no-stub", action="store_true", help="use the chip's own boot loader only"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Flash and print what was done."""
    if args.baud < 1200:
        raise UsageError("--baud must be 1200 or more", "--baud 115200")
    from host_tools.flash import Options, flash
    from host_tools.real import choice

    options = Options(
        firmware=args.firmware,
        version=args.version,
        definition=args.definition,
        erase=args.erase,
        ask=_ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
        stub=not args.no_stub,
        baud=args.baud,
        dry_run=args.dry_run,
    )
    port = args.port if args.port not in (None, AUTO) else choice.choose()
    with _ProgressBar() as progress:
        done = flash(port, options, progress.show)
    if args.json:
        result_json(done.as_dict())
    elif done.verified:
        result(f"{done.chip} on {port} has {done.title or done.build}, after {done.seconds:.1f} s")
        say(f"next: jobs-sandbox deploy --port {port}")
    else:
        result(f"{done.chip} on {port} would get {done.title or done.firmware}")
    return 0


def _ask(question: str) -> bool:
    while True:
        print(f"{question} [Y/n] ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise ToolError("no answer: nothing was changed", "--erase, or --no-erase")
        if line.strip().lower() in ("", "y", "yes", "n", "no"):
            return line.strip().lower() not in ("n", "no")


class _ProgressBar:
    """A bar on stderr for what is under way, if that is a terminal."""

    def __enter__(self) -> _ProgressBar:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

        self._bar = Progress(
            "  {task.description:<11}",
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, visible=False)
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Show how far it is."""
        self._bar.start()
        self._bar.update(
            self._task, description=what, completed=done, total=total, visible=done < total
        )
        if done >= total:
            self._bar.stop()
