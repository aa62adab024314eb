"""Show the boards there are definitions of, or one: chip, MicroPython build, pins by name, pins
that must not be driven and why, USB identity, the way into the boot loader.

BOARD is a name in boards/ or the path of a definition of your own; boards/README.md shows how to
write one.
"""

from __future__ import annotations

import argparse

from host_tools import boards
from host_tools.boards import BoardDefinition
from host_tools.output import result, result_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `boards`."""
    parser.add_argument("board", nargs="?", metavar="BOARD", help="a name, or the path of a file")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Show them or the one."""
    if args.board:
        board = boards.load(args.board)
        if args.json:
            result_json(board.as_dict())
        else:
            result("\n".join(_lines(board)))
        return 0
    known = [boards.load(name) for name in boards.names()]
    if args.json:
        result_json([board.as_dict() for board in known])
        return 0
    for board in known:
        led = str(board.pins["led"]) if "led" in board.pins else "none"
        result(f"{board.name:<28} {board.chip:<8} led {led:<18} {board.description}")
    return 0


def _lines(board: BoardDefinition) -> list[str]:
    return [
        f"{board.name}: {board.description}",
        f"  chip            {board.chip}",
        f"  MicroPython     {board.build}",
        *_table("pins", {name: str(pin) for name, pin in board.pins.items()}),
        *_table("do not drive", _ranges(board.forbidden)),
        *_table("USB", board.usb),
        f"  boot loader     {board.boot_mode}",
    ]


def _table(title: str, entries: dict[str, str]) -> list[str]:
    titles = [title, *[""] * len(entries)]
    return [
        f"  {head:<15} {name:<10} {text}"
        for head, (name, text) in zip(titles, entries.items(), strict=False)
    ]


def _ranges(forbidden: dict[int, str]) -> dict[str, str]:
    # Neighbours with the same reason are shown as one range.
    found: list[tuple[int, int, str]] = []
    for gpio, reason in sorted(forbidden.items()):
        first, last, same = found[-1] if found else (gpio, gpio, "")
        if (last, same) == (gpio - 1, reason):
            found[-1] = (first, gpio, reason)
        else:
            found.append((gpio, gpio, reason))
    return {f"{a}-{b}" if a < b else str(a): reason for a, b, reason in found}
