"""Talk to the sandbox on a board, real or virtual.

On a terminal: a prompt with completion (Tab), history and the board's events above it; Ctrl-D or
`exit` leaves and the board goes on, `quit` ends the sandbox on the board.
Otherwise commands are read from standard input, a line each, or given by --command.
The exit status is the board's: 0 done, 1 failed or refused, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys

from host_tools import target as target_module
from host_tools.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `console`."""
    target_module.add_board_arguments(parser)
    parser.add_argument(
        "--command",
        "-c",
        action="append",
        metavar="LINE",
        help="do this command and leave; may be given several times",
    )
    parser.add_argument("--json", action="store_true", help="print each answer as a JSON object")
    parser.add_argument(
        "--start", action="store_true", help="start the sandbox if the MicroPython REPL is there"
    )
    parser.add_argument(
        "--quiet",
        "-q",
        action="store_true",
        help="hide events and log, warnings apart; at the prompt: events on | off",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=30.0,
        metavar="S",
        help="seconds to wait for an answer (30)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve a person, a script, or a few commands."""
    from host_tools.console import Session, ending, script, terminal
    from host_tools.output import say

    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0", "--timeout 30")
    if args.json and not args.command:
        raise UsageError("--json needs --command", "--command status --json")
    target = target_module.resolve(args)
    with ending.in_order():
        if args.command is None and sys.stdin.isatty() and sys.stdout.isatty():
            return terminal.run(
                target, start=args.start, timeout_s=args.timeout, events=not args.quiet
            )
        log = script.drop if args.command or args.quiet else say
        output = script.Output(log, events=not args.quiet)
        show = script.drop if args.json else output.show
        with Session(target, show, say) as session:
            session.open(may_start=lambda: bool(args.start))
            if args.json:
                return script.run_commands_as_json(session, args.command, timeout_s=args.timeout)
            if args.command:
                return script.run_commands(session, output, args.command, timeout_s=args.timeout)
            return script.run_script(
                session, output, script.standard_input(), timeout_s=args.timeout
            )
