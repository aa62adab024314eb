import gc
import sys

from sandbox.lazy import borrow

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
    assert not hasattr(sys.modules["sandbox.operations"], "gpio")


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
