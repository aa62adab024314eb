"""What each module of the firmware takes of the heap; runs in the folder that holds the firmware.

`modules.json` there names them: {"before": […], "resident": […], "borrowed": […]}, the resident
ones in the order in which they are imported. Prints {"modules": {name: bytes}, "resident": all
that stays, "names": what stays of the borrowed ones, once loaded and given up: names they intern}.

`steps` is a generator, and garbage is collected between its steps: the WebAssembly port can only
do so when no Python code runs.
"""

import binascii
import gc
import json
import struct
import sys

_HARDWARE = ("esp32", "machine", "neopixel", "network", "ntptime", "select", "socket", "tls")


class _Nothing:
    # Stands for a module in C, which takes no heap
    SSLContext = object

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **options):
        return self


def _prepare():
    sys.path[:] = ["", ".frozen"]
    for name in _HARDWARE:
        sys.modules[name] = sys.modules["u" + name] = _Nothing()
    # as umqtt.simple 1.3.4 asks for them
    sys.modules["ustruct"], sys.modules["ubinascii"] = struct, binascii
    with open("modules.json") as file:
        return json.load(file)


def _measure(wanted):
    for name in wanted["before"]:
        __import__(name)
    yield
    taken = dict.fromkeys(wanted["resident"] + wanted["borrowed"], 0)
    yield
    base = before = gc.mem_alloc()
    for name in wanted["resident"]:
        __import__(name)
        yield
        now = gc.mem_alloc()
        taken[name], before = now - before, now
    resident = before
    from sandbox.lazy import borrow

    for name in wanted["borrowed"]:  # once before, for the names
        borrow(name[8:])
        yield
    names = gc.mem_alloc() - resident
    for name in wanted["borrowed"]:
        before = gc.mem_alloc()
        module = borrow(name[8:])
        yield
        taken[name] = gc.mem_alloc() - before
        del module
        yield
    print(json.dumps({"modules": taken, "resident": resident - base, "names": names}))


steps = _measure(_prepare())
if sys.platform != "webassembly":
    for _ in steps:
        gc.collect()
