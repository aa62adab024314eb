"""A stand-in for the application at the other end of a console: what tests of it share."""

from __future__ import annotations

import textwrap

_PROGRAM = r"""
import machine, sys, time
print('Jobs Sandbox on peer, thing t. Type help.')
line = ''
while True:
    c = sys.stdin.buffer.read(1)
    if c == b'\x1e':
        line = ''
        print('\x1eready 1 peer t')
    elif c in b'\r\n':
{act}
        line = ''
    elif c >= b' ':
        line += c.decode()
"""


def peer_program(act: str) -> str:
    """Return a main.py that speaks the console's machine mode and does `act`, statements that know
    `line`, when one has been entered.
    """
    return _PROGRAM.replace("{act}", textwrap.indent(act.strip("\n"), " " * 8))
