"""What the firmware takes of a plain ESP32's heap, measured on the .mpy that deploy makes."""

import gc
import sys

from uos import getenv

import budgets
import flash
import hardware

BORROWED = (
    "setup",
    "config",
    "credentials",
    "reader",
    "recovery",
    "wifi",
    "clock",
    "client",
    "dial",
    "handshake",
    "connecting",
    "topics",
    "causes",
    "commands",
    "extras",
    "editor",
    "work",
    "plan",
    "arguments",
    "details",
    "forms",
    "handlers",
    "large",
    "steps",
    "delivery",
    "endings",
    "crash",
    "updates",
    "local",
    "trial",
    "operations.adc_read",
    "operations.collect_log",
    "operations.delete_file",
    "operations.download_file",
    "operations.gpio",
    "operations.identify",
    "operations.pwm",
    "operations.reboot",
    "operations.report",
    "operations.set_config",
    "operations.sync_clock",
    "operations.wait",
)


def use_compiled():
    """Import the firmware as it lies on a board."""
    sys.path[:] = ["/host" + getenv("FIRMWARE_MPY"), ".frozen"]


def used():
    gc.collect()
    return gc.mem_alloc()


def free():
    gc.collect()
    return gc.mem_free()


def test_the_heap_is_that_of_a_plain_esp32():
    heap = int(getenv("HEAP"))
    assert heap == budgets.HEAP * budgets.WORDS
    assert heap - 16_000 < free() <= heap, (heap, free())


def test_the_application_leaves_its_budget_free():
    use_compiled()
    before = used()
    from sandbox import app

    assert app.__file__.endswith(".mpy")
    taken = (used() - before) // budgets.WORDS
    assert budgets.HEAP - taken >= budgets.FREE_WHEN_LOADED, taken


def test_each_module_that_is_needed_for_a_moment_gives_its_memory_back():
    use_compiled()
    from sandbox import app, lazy

    for name in BORROWED:
        lazy.borrow(name)  # names that it interns stay
    for name in BORROWED:
        before = used()
        module = lazy.borrow(name)
        taken = used() - before
        del module
        left = used() - before
        assert taken > 200, (name, "was not loaded")
        assert left <= budgets.LEAK, (name, left)
    assert app


def test_nothing_that_is_needed_for_a_moment_stays_loaded():
    use_compiled()
    from sandbox import app, lazy

    for name in BORROWED:
        lazy.borrow(name)
    stayed = [name for name in BORROWED if "sandbox." + name in sys.modules]
    assert stayed == [], stayed
    assert app and flash.root and hardware.machine


def test_a_second_round_takes_no_more_than_the_first():
    use_compiled()
    from sandbox import lazy

    rounds = []
    for _ in range(3):
        for name in BORROWED:
            lazy.borrow(name)
        rounds.append(used())
    assert rounds[2] <= rounds[1] + budgets.LEAK, rounds
