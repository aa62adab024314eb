"""The command `jobs-sandbox`: finds the command's module, runs it, turns errors into two lines and
a status.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from host_tools import __version__, defaults
from host_tools.commands import COMMANDS
from host_tools.errors import ToolError, UsageError

_WITHOUT_FILE = ("init", "completion", "status")  # they read sandbox.toml in their own time
_DONE, _FAILED, _WRONG_USAGE, _INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 failed, 2 wrong usage."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if "_ARGCOMPLETE" in os.environ:
        from host_tools import completion

        completion.answer()
    debug = "--debug" in argv[:1]
    try:
        return _run(argv[1:] if debug else argv)
    except ToolError as error:
        if debug:
            traceback.print_exc()
        print(f"jobs-sandbox: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  try: {error.hint}", file=sys.stderr)
        return _WRONG_USAGE if isinstance(error, UsageError) else _FAILED
    except KeyboardInterrupt as interrupt:
        print(file=sys.stderr)  # behind the ^C that a terminal shows
        for left in getattr(interrupt, "__notes__", []):
            print(f"jobs-sandbox: interrupted; {left}", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of our output, `head` for instance, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except Exception as error:
        if debug:
            raise
        print(f"jobs-sandbox: unexpected {type(error).__name__}: {error}", file=sys.stderr)
        print("  try: `jobs-sandbox --debug …`, and report what it says", file=sys.stderr)
        return _FAILED


def _run(argv: list[str]) -> int:
    name = _parser().parse_args(argv[:1]).command if argv else "status"
    parser = command_parser(name)
    known = {} if name in _WITHOUT_FILE or {"-h", "--help"} & set(argv) else defaults.load()
    defaults.prepare(parser, name, known)
    args = parser.parse_args(argv[1:])
    defaults.settle(args, name, known)
    return int(args.run_command(args))


def command_parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of one command; only its module is imported."""
    module = importlib.import_module(f"host_tools.commands.{name}")
    parser = argparse.ArgumentParser(
        prog=f"jobs-sandbox {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.set_defaults(run_command=module.run)
    return parser


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="jobs-sandbox",
        description="AWS IoT Jobs on MicroPython boards, real or virtual.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n"
        + "\n".join(f"  {name:<{width}} {text}" for name, text in COMMANDS.items())
        + "\n\nWithout a command: where things stand, and the next step."
        + "\n`jobs-sandbox COMMAND --help` tells more; --debug COMMAND shows tracebacks.",
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="show this text")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("command", metavar="COMMAND", choices=COMMANDS, help="one of those below")
    return parser


if __name__ == "__main__":
    sys.exit(main())
