"""Runs one test in MicroPython: `micropython runner.py FILE FUNCTION UMQTT`. Exit status 1 and a
traceback if it fails.
"""

import asyncio
import gc
import os
import sys

_LIMIT_S = 60
_HERE = __file__.rsplit("/", 1)[0]
_ROOT = _HERE.rsplit("/", 2)[0]
_HARNESS = (
    "inline",
    "flash",
    "hardware",
    "fakes",
    "mutant",
    "peer",
    "lapse",
    "leap",
)  # in this order
_PEER = 96 * 1024  # bytes of heap for a server, or a maker of input, in the same process
_getenv = os.getenv
_ballast = []


def main(path: str, name: str, umqtt: str) -> None:
    client = _ROOT + "/build/umqtt" if umqtt == "1.3.4" else _HERE + "/modern"
    sys.path[:] = [_HERE, _getenv("FIRMWARE"), client, ".frozen"]
    try:
        _load_harness(path)
        _fill_heap()
        _fill_heap()  # the place of what only the stack still held
        module = __import__(path.rsplit("/", 1)[1][:-3])
        result = getattr(module, name)()
        if hasattr(result, "send"):  # a coroutine
            asyncio.run(asyncio.wait_for(result, _LIMIT_S))
    except BaseException as error:
        sys.print_exception(error)
        sys.exit(1)


def _load_harness(path: str) -> None:
    with open(path) as file:
        wanted = [line.split()[1] for line in file if line.startswith(("import ", "from "))]
    for name in _HARNESS:
        if name in wanted:
            __import__(name)


def _fill_heap() -> None:
    # What is loaded so far is no part of the board. Small pieces first fill the holes, so that
    # what stays free is one run.
    limit = int(_getenv("HEAP")) + _PEER * ("peer" in sys.modules or "mutant" in sys.modules)
    gc.collect()
    while gc.mem_free() > limit:
        _ballast.append([bytearray(64) for _ in range(16)])


main(*sys.argv[1:4])
