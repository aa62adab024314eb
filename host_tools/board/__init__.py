"""The virtual board: MicroPython's Unix port that looks and behaves like an ESP32 on a wire.

It has three sides: `VirtualBoard` switches boards on and off, `pins(name)` tells what their pins
did, `faults` makes things go wrong.
"""

from collections.abc import Iterator

from host_tools.board import edges
from host_tools.board.edges import Edge
from host_tools.board.virtual_board import DEFAULT_BOARD, BoardInfo, VirtualBoard, list_boards

__all__ = ["DEFAULT_BOARD", "BoardInfo", "Edge", "VirtualBoard", "list_boards", "pins"]


def pins(name: str) -> Iterator[Edge]:
    """Yield every recorded edge of the pins of the board `name`, oldest first."""
    yield from edges.recorded(VirtualBoard(name).files)
