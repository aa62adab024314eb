"""Start, stop and look at virtual boards. NAME defaults to `sandbox`.

Actions:
  board start [NAME]      switch it on; its serial device goes to standard output
  board stop [NAME]       switch it off
  board list              the boards that run
  board erase [NAME]      erase its flash and its record
  board power-cut [NAME]  cut the power in mid-flight, and give it back
  board reset [NAME]      press its reset button
  board pins [NAME]       what its pins did; --follow, --set 0=1
  board log [NAME]        what it printed; -f follows
  board fault [NAME] [FAULT [VALUE]]  make something go wrong; without FAULT, list what can

Starts are those of MicroPython since the flash was erased; a deploy starts it once more, too. The
sandbox on the board counts its own ones (`status`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from host_tools import deployed
from host_tools.board import (
    DEFAULT_BOARD,
    BoardInfo,
    VirtualBoard,
    buttons,
    faults,
    list_boards,
    pin_lines,
)
from host_tools.board.edges import follow, recorded, set_input
from host_tools.board.virtual_board import CHIPS, DEFAULT_HEAP
from host_tools.boards import has_gpio
from host_tools.errors import UsageError
from host_tools.output import if_interrupted, result, result_json, say

_OFF_S = 3.0
_CAUSES = {1: "power on", 2: "hard reset", 3: "watchdog", 4: "deep sleep", 5: "soft reset"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    start = _action(actions, "start", "switch a board on", _start, json=True)
    start.add_argument("--chip", choices=CHIPS, default="ESP32", help="which pins it has (ESP32)")
    start.add_argument(
        "--heap", default=DEFAULT_HEAP, help=f"GC heap ({DEFAULT_HEAP}, a plain ESP32's)"
    )
    start.add_argument("--erase", action="store_true", help="start with an erased flash")
    _action(actions, "stop", "switch a board off", _stop, json=False)
    listing = actions.add_parser("list", help="show the boards that run")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(handler=_list)
    _action(actions, "erase", "erase a board's flash and record", _erase, json=False)
    _action(actions, "power-cut", "cut a board's power and give it back", _power_cut, json=True)
    _action(actions, "reset", "press a board's reset button", _reset, json=True)
    edges = _action(actions, "pins", "show what a board's pins did", _pins, json=True)
    edges.add_argument("--follow", "-f", action="store_true", help="go on as it happens")
    edges.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PIN=VALUE",
        help="drive an input: 0=1, 0= lets go",
    )
    log = _action(actions, "log", "show what a board printed", _log, json=False)
    log.add_argument("--follow", "-f", action="store_true", help="go on as it happens")
    _add_fault(actions)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    handler: Callable[[argparse.Namespace], int] = args.handler
    return handler(args)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    handler: Callable[[argparse.Namespace], int],
    *,
    json: bool,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text)
    parser.add_argument(
        "name", nargs="?", default=DEFAULT_BOARD, metavar="NAME", help="which board (sandbox)"
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(handler=handler)
    return parser


def _add_fault(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fault = actions.add_parser(
        "fault",
        help="make something go wrong on a board",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Make something go wrong on a virtual board.",
        epilog="\n".join(["faults:", *(f"  {row}" for row in buttons.table())]),
    )
    fault.add_argument(
        "words",
        nargs="*",
        metavar="[NAME] [FAULT [VALUE]]",
        help="board (sandbox), fault, and how long or how much",
    )
    fault.add_argument("--json", action="store_true", help="print JSON")
    fault.set_defaults(handler=_fault, name=DEFAULT_BOARD)


def _start(args: argparse.Namespace) -> int:
    board = VirtualBoard(args.name)
    before = board.info()
    with if_interrupted("the board may be starting: `jobs-sandbox board list`"):
        info = board.start(chip=args.chip, heap=args.heap, erase=args.erase)
    was_on = before is not None and not args.erase
    what = "was already running" if was_on else "is on"
    became = deployed.last(args.name).get("thing")
    has = f"thing {became}" if became else "nothing deployed yet"
    return _show(args, info, f"{what}, a virtual {info.chip}, {has}")


def _show(args: argparse.Namespace, info: BoardInfo, what: str) -> int:
    if args.json:
        say(f"Board {args.name} {what}.")
        result_json(info.as_dict())
    else:
        say(f"Board {args.name} {what}. Its serial device:")
        result(info.tty)
    return 0


def _stop(args: argparse.Namespace) -> int:
    stopped = VirtualBoard(args.name).stop()
    say(f"Board {args.name} is off." if stopped else f"Board {args.name} was not running.")
    return 0


def _list(args: argparse.Namespace) -> int:
    boards = list_boards()
    if args.json:
        result_json([info.as_dict() for info in boards])
        return 0
    for info in boards:
        result(f"{info.name:<12} {info.chip:<8} {_start_number(info):<24} {info.tty}")
    if not boards:
        say("No board runs. `jobs-sandbox board start` starts one.")
    return 0


def _erase(args: argparse.Namespace) -> int:
    board = VirtualBoard(args.name)
    restarts = board.info() is not None
    board.erase()
    deployed.forget(args.name)
    say(f"Board {args.name} is erased" + (" and was restarted." if restarts else "."))
    return 0


def _power_cut(args: argparse.Namespace) -> int:
    info = VirtualBoard(args.name).power_cut()
    what = f"lost its power in mid-flight and has it back: {_start_number(info)}"
    return _show(args, info, what)


def _reset(args: argparse.Namespace) -> int:
    info = VirtualBoard(args.name).reset()
    return _show(args, info, f"was reset by its button: {_start_number(info)}")


def _start_number(info: BoardInfo) -> str:
    return f"start {info.boot}, by {_CAUSES[info.cause]}"


def _pins(args: argparse.Namespace) -> int:
    board = VirtualBoard(args.name)
    files = board.require_existing()
    inputs = [_input(board, assignment) for assignment in args.set]
    for name, value in inputs:
        set_input(files, name, value)
    if inputs:
        return 0
    known = pin_lines.pins_by_gpio(args.name)
    nothing = True
    for edge in follow(files, until=_is_off(board)) if args.follow else recorded(files):
        result(json.dumps(edge) if args.json else pin_lines.line(edge, known))
        nothing = False
    if args.follow:
        say(f"Board {args.name} is off.")
    elif nothing and not args.json:
        say(f"No pin of board {args.name} has been driven yet.")
    return 0


def _input(board: VirtualBoard, assignment: str) -> tuple[str, float | None]:
    name, equals, value = assignment.partition("=")
    try:
        number = float(value) if value else None
        gpio = int(name.removeprefix("adc"))
    except ValueError:
        equals = ""
    if not equals:
        raise UsageError(
            f"{assignment!r} does not set a pin.", "--set 0=1, --set adc34=1.2, --set 0="
        )
    info = board.info()
    if not has_gpio(gpio, info.chip if info else None):
        who = f"A virtual {info.chip} has no" if info else "No chip has a"
        raise UsageError(f"{who} GPIO{gpio}.", _pins_of(board))
    return name, number


def _pins_of(board: VirtualBoard) -> str:
    name = deployed.last(board.name).get("definition", "virtual")
    return f"`jobs-sandbox boards {name}` shows its pins"


def _is_off(board: VirtualBoard) -> Callable[[], bool]:
    # an erase switches a board off, too, for a moment
    seen = time.monotonic()

    def is_off() -> bool:
        nonlocal seen
        if board.info() is not None:
            seen = time.monotonic()
        return time.monotonic() > seen + _OFF_S

    return is_off


def _fault(args: argparse.Namespace) -> int:
    words = list(args.words)
    named = bool(words) and words[0] not in buttons.BUTTONS
    name = words.pop(0) if named else args.name
    board = VirtualBoard(name)
    if named and not set(words[:1]) & set(buttons.BUTTONS) and board.info() is None:
        raise UsageError(
            f"{name} is neither a fault nor a board that runs.", "`jobs-sandbox board fault`"
        )
    if words or args.json:
        board.require_running()
    if len(words) > 2:
        raise UsageError(f"{words[2]!r} is one word too many.", "board fault freeze-link 30s")
    if words:
        say(f"Board {name}: {buttons.push(board.files, *words)}.")
    if args.json:
        result_json(faults.pressed(board.files))
    elif not words:
        _list_faults(board)
    return 0


def _list_faults(board: VirtualBoard) -> None:
    now = buttons.in_effect(board.files) if board.info() else []
    for line in now:
        result(f"in effect on board {board.name}: {line}")
    if not now:
        result(f"no fault is in effect on board {board.name}; these can be:")
    for line in buttons.table():
        result(f"  {line}")


def _log(args: argparse.Namespace) -> int:
    path = VirtualBoard(args.name).require_existing().serial_log
    path.touch()
    with path.open("rb") as file:
        while True:
            data = file.read()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            if not args.follow:
                return 0
            if path.stat().st_size < file.tell():  # rotated
                file.seek(0)
            time.sleep(0 if data else 0.05)
