"""The virtual board: MicroPython's Unix port made to look and behave like an ESP32 on a serial
line.
"""

from host_tools.board.pins import Edge, follow_pins, pins, set_input
from host_tools.board.virtual_board import (
    DEFAULT_BOARD,
    BoardInfo,
    VirtualBoard,
    list_boards,
)

__all__ = [
    "DEFAULT_BOARD",
    "BoardInfo",
    "Edge",
    "VirtualBoard",
    "follow_pins",
    "list_boards",
    "pins",
    "set_input",
]
