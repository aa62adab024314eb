"""Start, stop and look at virtual boards. NAME defaults to `sandbox`.

Actions:
  board start [NAME]      switch it on; prints its serial device
  board stop [NAME]       switch it off
  board list              the boards that run
  board erase [NAME]      erase its flash and its record
  board power-cut [NAME]  cut the power in mid-flight, and give it back
  board reset [NAME]      press its reset button
  board pins [NAME]       what its pins did; --follow, --set 0=1
  board log [NAME]        what it printed; -f follows
  board fault [NAME] FAULT [VALUE]  make something go wrong; without FAULT, what is wrong now
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from host_tools import deployed
from host_tools.board import DEFAULT_BOARD, BoardInfo, Edge, VirtualBoard, faults, list_boards
from host_tools.board.buttons import BUTTONS, push
from host_tools.board.edges import follow, recorded, set_input
from host_tools.board.files import BoardFiles
from host_tools.board.virtual_board import CHIPS, DEFAULT_HEAP
from host_tools.errors import UsageError
from host_tools.output import result, result_json, say

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
    rows = [f"{name} {button.value}".ljust(30) + button.what for name, button in BUTTONS.items()]
    fault = actions.add_parser(
        "fault",
        help="make something go wrong on a board",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Make something go wrong on a virtual board.",
        epilog="\n".join(["faults:", *(f"  {row}" for row in rows)]),
    )
    fault.add_argument(
        "words",
        nargs="*",
        metavar="[NAME] FAULT [VALUE]",
        help="board (sandbox), fault, and how long or how much",
    )
    fault.add_argument("--json", action="store_true", help="print JSON")
    fault.set_defaults(handler=_fault, name=DEFAULT_BOARD)


def _start(args: argparse.Namespace) -> int:
    board = VirtualBoard(args.name)
    before = board.info()
    info = board.start(chip=args.chip, heap=args.heap, erase=args.erase)
    if before is not None and not args.erase:
        say(f"Board {args.name} was already running.")
    return _show(args, info)


def _show(args: argparse.Namespace, info: BoardInfo) -> int:
    if args.json:
        result_json(info.as_dict())
    else:
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
        boot = f"boot {info.boot} ({_CAUSES[info.cause]})"
        result(f"{info.name:<12} {info.chip:<8} {boot:<22} pid {info.pid:<7} {info.tty}")
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
    return _show(args, VirtualBoard(args.name).power_cut())


def _reset(args: argparse.Namespace) -> int:
    return _show(args, VirtualBoard(args.name).reset())


def _pins(args: argparse.Namespace) -> int:
    files = VirtualBoard(args.name).require_existing()
    for assignment in args.set:
        _set_input(files, assignment)
    if args.set:
        return 0
    for edge in follow(files) if args.follow else recorded(files):
        result(json.dumps(edge) if args.json else _edge_line(edge))
    return 0


def _set_input(files: BoardFiles, assignment: str) -> None:
    name, equals, value = assignment.partition("=")
    try:
        number = float(value) if value else None
        int(name.removeprefix("adc"))
    except ValueError:
        equals = ""
    if not equals:
        raise UsageError(
            f"{assignment!r} does not set a pin.", "--set 0=1, --set adc34=1.2, --set 0="
        )
    set_input(files, name, number)


def _fault(args: argparse.Namespace) -> int:
    words = list(args.words)
    name = args.name if not words or words[0] in BUTTONS else words.pop(0)
    board = VirtualBoard(name)
    board.require_running()
    if len(words) > 2:
        raise UsageError(f"{words[2]!r} is one word too many.", "board fault NAME freeze-link 30s")
    if words:
        say(f"Board {name}: {push(board.files, *words)}.")
    if args.json:
        result_json(faults.pressed(board.files))
    elif not words:
        for fault, value in faults.pressed(board.files).items():
            result(f"{fault}: {json.dumps(value)}")
    return 0


def _edge_line(edge: Edge) -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(edge["t"])) + f"{edge['t'] % 1:.3f}"[1:]
    more = " ".join(str(edge[key]) for key in ("freq", "duty_u16", "data") if key in edge)
    return f"{moment}  boot {edge['boot']}  GPIO{edge['pin']:<2} {edge['value']} {more}".rstrip()


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
