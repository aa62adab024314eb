import asyncio
import gc
import os
import sys

from sandbox import lazy
from sandbox.lazy import borrow, spawn

import budgets
from fakes import raises


def test_a_borrowed_module_is_not_kept():
    module = borrow("details")
    assert module.clean({"a": 1}) == {"a": "1"}
    assert "sandbox.details" not in sys.modules
    assert not hasattr(sys.modules["sandbox"], "details")


def test_a_borrowed_operation_is_not_kept():
    assert borrow("operations.gpio").TIMEOUT_S
    assert "sandbox.operations.gpio" not in sys.modules
    assert "sandbox.operations" not in sys.modules


def test_its_memory_comes_back():
    def used():
        gc.collect()
        return gc.mem_alloc()

    borrow("editor")  # names that it interns stay
    before = used()
    module = borrow("editor")
    assert used() > before + 1000, "nothing was loaded"
    del module
    assert used() <= before + budgets.LEAK


def test_it_can_be_borrowed_while_it_is_in_use():
    first, second = borrow("details"), borrow("details")
    assert first.clean({"a": 1}) == second.clean({"a": 1})


def test_a_module_that_does_not_exist_is_an_import_error():
    raises(ImportError, borrow, "nothing")
    raises(ImportError, borrow, "operations.nothing")
    assert "sandbox.nothing" not in sys.modules


def test_a_module_that_fails_is_not_lent_the_next_time():
    package = sys.modules["sandbox"]
    folder = package.__path__
    with open("broken.py", "w") as file:
        file.write("half = 1\nraise ValueError('broken')\n")
    package.__path__ = os.getcwd()
    raises(ValueError, borrow, "broken")
    assert package.__path__ == os.getcwd()
    package.__path__ = folder
    assert borrow("details").clean({"a": 1}) == {"a": "1"}


def test_a_module_that_is_not_found_for_want_of_memory_is_not_taken_for_missing():
    real = lazy.os

    class Crowded:
        def stat(self, path):
            raise MemoryError

    lazy.os = Crowded()
    raises(MemoryError, borrow, "details")
    lazy.os = real
    assert borrow("details").clean({"a": 1}) == {"a": "1"}


async def test_a_task_that_has_ended_does_not_keep_what_it_ran():
    async def work(end):
        heavy = bytearray(4000)
        await asyncio.sleep_ms(1)
        if end:
            raise end
        return len(heavy)

    def used():
        gc.collect()
        return gc.mem_alloc()

    for end in (None, ValueError("x"), "cancel"):
        before = used()
        task = spawn(work(end if end != "cancel" else None))
        await asyncio.sleep_ms(0)
        assert used() > before + 4000
        if end == "cancel":
            task.cancel()
        try:
            assert await task == 4000 and not end
        except (ValueError, asyncio.CancelledError):
            assert end
        assert used() < before + 1000, end
        assert task.done()
