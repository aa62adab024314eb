"""Which board a command means: `--board NAME`, a virtual one, or `--port TTY`, a real one."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path

from host_tools import defaults
from host_tools.board import DEFAULT_BOARD, VirtualBoard
from host_tools.errors import ToolError

AUTO = "auto"


@dataclass(frozen=True)
class Target:
    """A board on a serial device; `board` is None for a real one. One that does not last is gone
    when the command that has it ends.
    """

    device: str
    board: VirtualBoard | None
    lasts: bool = True

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return f"virtual board {self.board.name}" if self.board else f"board on {self.device}"

    @property
    def key(self) -> str:
        """What `deployed` knows it by: a virtual board's name, a real one's port."""
        return self.board.name if self.board else self.device

    def command(self, words: str) -> str:
        """Return the command `jobs-sandbox WORDS` for this board, as a hint names it: the board
        is left out if that is the one meant without.
        """
        known = defaults.load()
        option = "--board" if self.board else "--port"
        is_meant = self.key == known.get("port", known.get("board", DEFAULT_BOARD))
        which = "" if is_meant else f" {option} {shlex.quote(self.key)}"
        return f"`jobs-sandbox {words}{which}`"


def add_board_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --board and --port, of which one can be given."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--board", metavar="NAME", default=DEFAULT_BOARD, help=f"a virtual board ({DEFAULT_BOARD})"
    )
    which.add_argument(
        "--port",
        metavar="TTY",
        help="a real board's serial device, /dev/ttyUSB0 for instance; auto: the only one",
    )


def named(args: argparse.Namespace) -> Target:
    """Return the board meant, be it there or not. Raises UsageError if it cannot be a name."""
    return _target(args.board, args.port)


def meant() -> Target:
    """Return the board meant if none is given, be it there or not. Raises ToolError for a
    sandbox.toml that is wrong.
    """
    known = defaults.load()
    return _target(known.get("board", DEFAULT_BOARD), known.get("port"))


def resolve(args: argparse.Namespace) -> Target:
    """Return the board meant. Starts nothing. Raises ToolError if it is not there, with what
    to do.
    """
    if args.port == AUTO:
        from host_tools.real import choice

        return Target(choice.choose(), None)
    found = named(args)
    if found.board:
        found.board.require_running()
    elif not Path(args.port).exists():
        raise ToolError(
            f"There is no serial device {args.port}.",
            "is the board plugged in? `jobs-sandbox ports` lists those there are",
        )
    return found


def _target(name: str, port: str | None) -> Target:
    if port:
        return Target(port, None)
    board = VirtualBoard(name)
    return Target(board.device, board)
