"""Runs one test in MicroPython: `micropython runner.py FILE NAME`. Exit status 1 and a traceback if it fails."""

import asyncio
import sys

_LIMIT_S = 30
_HERE = __file__.rsplit("/", 1)[0]
_ROOT = _HERE.rsplit("/", 2)[0]


def main(path: str, name: str) -> None:
    sys.path[:] = [_HERE, _ROOT + "/firmware", _ROOT + "/build/umqtt", ".frozen"]
    try:
        module = __import__(path.rsplit("/", 1)[1][:-3])
        result = getattr(module, name)()
        if hasattr(result, "send"):  # a coroutine
            asyncio.run(asyncio.wait_for(result, _LIMIT_S))
    except BaseException as error:
        sys.print_exception(error)
        sys.exit(1)


main(sys.argv[1], sys.argv[2])
