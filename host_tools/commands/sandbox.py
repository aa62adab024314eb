"""Run the sandbox as the AWS sample does: without a board, against any IoT endpoint.

The firmware runs on a virtual board of its own that is gone at the end; it connects with your
certificate and key (PEM or DER), and leaves jobs to your commands (executor off).
On a terminal the console follows, otherwise commands are read from standard input.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from host_tools.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `sandbox`, the sample's."""
    parser.add_argument(
        "--endpoint", required=True, metavar="HOST[:PORT]", help="the account's -ats endpoint"
    )
    parser.add_argument(
        "--cert", required=True, type=Path, metavar="FILE", help="the certificate, PEM or DER"
    )
    parser.add_argument(
        "--key", required=True, type=Path, metavar="FILE", help="its private key, PEM or DER"
    )
    parser.add_argument(
        "--thing-name", "--thing_name", required=True, metavar="NAME", help="the thing"
    )
    parser.add_argument(
        "--client-id", "--client_id", metavar="ID", help="default: test- and a random UUID"
    )
    parser.add_argument(
        "--ca", "--ca_file", type=Path, metavar="FILE",
        help="the endpoint's root; default: Amazon's, or the local IoT Core's",
    )  # fmt: skip
    parser.add_argument(
        "--wait-s", type=float, default=30.0, metavar="S", help="seconds to wait to connect (30)"
    )
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="seconds to wait for an answer"
    )


def run(args: argparse.Namespace) -> int:
    """Connect, then serve a person or a script."""
    from host_tools.console import ending
    from host_tools.output import if_interrupted
    from host_tools.sandbox.run import Wanted, serve

    if args.wait_s <= 0 or args.timeout <= 0:
        raise UsageError("--wait-s and --timeout must be more than 0", "--wait-s 30")
    wanted = Wanted(
        endpoint=args.endpoint,
        certificate=args.cert,
        key=args.key,
        thing=args.thing_name,
        client_id=args.client_id,
        ca=args.ca,
    )
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with ending.in_order(), if_interrupted("its private board is switched off and gone"):
        return serve(wanted, wait_s=args.wait_s, timeout_s=args.timeout, on_terminal=on_terminal)
