"""Power-up: from the bare Unix port to the state in which an ESP32 starts boot.py.

Order of ports/esp32/main.c and modules/_boot.py: file system, then boot.py, then main.py; main.py
is skipped when boot.py raised, or when a soft reset came from the raw REPL.
"""

import gc
import io
import sys

import _flash
import _hw
import _shims
import vfs

_STAND_INS = ("esp32", "machine", "neopixel", "network", "ntptime", "os", "socket", "time")
_KIB_AT_BOOT = 2  # GC heap that an ESP32 has in use before boot.py: an estimate
_ballast = []


def power_up() -> None:
    """Load the stand-ins, mount the flash as `/`, leave as much heap as a plain ESP32 has."""
    for name in _STAND_INS:
        __import__(name)
    _shims.install()
    flash = _flash.Flash()
    try:
        file_system = vfs.VfsLfs2(flash)
    except OSError:  # blank, as ports/esp32/modules/inisetup.py finds a new chip
        vfs.VfsLfs2.mkfs(flash)
        file_system = vfs.VfsLfs2(flash)
    vfs.umount("/")
    vfs.mount(file_system, "/")
    sys.path[:] = ["", ".frozen", "/lib"]  # ports/esp32/main.c; py/runtime.c
    _fill_heap()


def run(main: dict) -> None:
    """Run boot.py and main.py in the namespace `main` of the REPL."""
    _hw.tell("up")
    if _run_file("boot.py", main) and not _hw.raw_repl:
        _run_file("main.py", main)
    _hw.tell("kbd 3")  # shared/runtime/pyexec.c re-arms Ctrl-C for the REPL


def _run_file(name: str, main: dict) -> bool:
    # execfile as pyexec_file_if_exists: True unless it raised; SystemExit is a soft reset
    try:
        _stat(name)
    except OSError:
        return True
    main["__file__"] = name
    try:
        exec("execfile(__file__)", main)
        return True
    except SystemExit:
        _hw.reset("soft")
    except BaseException as error:
        _print_exception(error)
    return False


def _print_exception(error: BaseException) -> None:
    # the launcher's own frames mean nothing to the user
    text = io.StringIO()
    sys.print_exception(error, text)
    for line in text.getvalue().split("\n")[:-1]:
        if "_boot.py" not in line and 'File "<string>", line 1, in <module>' not in line:
            print(line)


def _stat(name: str) -> tuple:
    return sys.modules["os"].stat(name)


def _fill_heap() -> None:
    # Why: the stand-ins are C in flash on a real board. They get heap of their own (see
    # supervisor); small pieces first fill the holes they left, so that what stays free is one
    # run, as on a fresh ESP32.
    gc.collect()
    limit = int(_hw.env("VB_HEAP")) - _KIB_AT_BOOT * 1024
    while gc.mem_free() > limit:
        _ballast.append(bytearray(64))
