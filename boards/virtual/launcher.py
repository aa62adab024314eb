"""What MicroPython's Unix port runs first on a virtual board: `micropython -i launcher.py`.

Only this file is named on the command line; `_boot` does the work. Nothing of it stays in the
REPL's namespace, and the REPL of `-i` takes over when boot.py and main.py have ended, as on an
ESP32.
"""

import sys

sys.path[:] = [__file__.rsplit("/", 1)[0] + "/modules", ".frozen"]
del sys
import _boot

_boot.power_up()
_run = _boot.run
del _boot
_run(globals())
del _run
