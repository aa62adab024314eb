"""Show the boards on USB: port, chip, MAC, firmware, thing.

A running sandbox is asked and not disturbed; a MicroPython program is left alone, too. With
--boot-loader, chips that say nothing are asked through their boot loader, which resets them.
"""

from __future__ import annotations

import argparse

from host_tools.output import result, result_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ports`."""
    parser.add_argument(
        "--boot-loader", action="store_true", help="ask silent chips' boot loader, with a reset"
    )
    parser.add_argument("--json", action="store_true", help="print a list of objects")


def run(args: argparse.Namespace) -> int:
    """Print a line for each port."""
    from host_tools.real import choice, listing, look

    seen = look.look_at_all(listing.usb_ports(), boot_loader=args.boot_loader)
    if args.json:
        result_json([each.as_dict() for each in seen])
        return 0
    if not seen:
        raise choice.no_port()
    for each in seen:
        result(str(each))
        if each.hint:
            result(f"  try: {each.hint}")
    return 0
