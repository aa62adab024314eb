"""The part of `make setup` that pip cannot do; run inside the new environment by make_venv.sh.

Fetches umqtt.simple, lays out the stubs for the firmware's type check, checks the MicroPython
interpreter.
"""

from __future__ import annotations

import sys

from host_tools import esp32_stubs, interpreter, paths, umqtt_source
from host_tools.errors import ToolError
from host_tools.output import say


def main() -> int:
    """Do all three and return the exit status."""
    try:
        say("setup: umqtt.simple, for boards without one")
        umqtt_source.fetch(paths.UMQTT)
        say("setup: what the firmware is type-checked against")
        esp32_stubs.build(paths.ROOT / "build" / "esp32_stubs")
        path = interpreter.find()
        say(f"setup: MicroPython {'.'.join(map(str, interpreter.version(path)))} at {path}")
        say("setup: done; `. .venv/bin/activate` for the command jobs-sandbox")
    except ToolError as error:
        print(f"setup: {error.message}\n  try: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsetup: interrupted\n  try: make setup, which goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
