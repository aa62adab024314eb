"""The host's console: talks to the sandbox on a board through its serial port.

`protocol` turns bytes into items, `port` opens the device, `greeting` finds out what runs on the
board, `session` keeps the conversation going over resets and unplugged cables, `vocabulary` knows
what can be typed, `terminal` is for people and `script` for programs.
"""

from host_tools.console.protocol import Answer
from host_tools.console.session import Session

__all__ = ["Answer", "Session"]
