import machine
from sandbox import board as module
from sandbox import crash
from sandbox.board import Board

import hardware
from fakes import raises

DEFINITION = {
    "board": "virtual",
    "pins": {"led": {"gpio": 2}, "lamp": {"gpio": 5, "active_low": True}},
}


def test_a_pin_is_driven_by_its_name():
    board = Board(DEFINITION)
    board.switch("led", True)
    board.switch("led", False)
    assert hardware.edges() == [(2, 1), (2, 0)]


def test_an_active_low_pin_is_driven_the_other_way_round():
    board = Board(DEFINITION)
    board.switch("lamp", True)
    assert board.is_on("lamp")
    board.switch("lamp", False)
    assert not board.is_on("lamp")
    assert hardware.edges() == [(5, 0), (5, 1)]


def test_a_pin_is_off_until_it_is_driven():
    board = Board(DEFINITION)
    assert not board.is_on("led") and not board.is_on("lamp")
    assert hardware.edges() == [], "asking must not drive it"


def test_driving_a_pin_to_where_it_is_makes_no_edge():
    board = Board(DEFINITION)
    for _ in range(3):
        board.switch("led", True)
    assert hardware.edges() == [(2, 1)]


def test_what_is_on_is_known_after_an_ordered_reset():
    board = Board(DEFINITION)
    board.switch("led", True)
    board.switch("lamp", True)
    board.switch("lamp", False)
    crash.leave(board)
    after = Board(DEFINITION)
    assert crash.recall(after) == "", "no last words"
    assert after.is_on("led") and not after.is_on("lamp")
    after.switch("led", False)
    assert not after.is_on("led") and hardware.edges()[-1] == (2, 0)


def test_what_was_on_is_forgotten_when_the_pin_is_another_or_the_power_was_gone():
    board = Board(DEFINITION)
    board.switch("led", True)
    for definition, cause in (
        ({"pins": {"led": {"gpio": 4}}}, "HARD_RESET"),
        ({"pins": {}}, "HARD_RESET"),
        (DEFINITION, "PWRON_RESET"),
    ):
        crash.leave(board)
        after = Board(definition)
        after.cause = cause
        crash.recall(after)
        assert after.parts == {}, definition
        assert board.memory() == b"", "it is told once"


def test_pulses_are_not_taken_for_a_pin_that_is_on():
    class Pulses:
        pass

    board = Board(DEFINITION)
    board.attach("led", Pulses())
    crash.leave(board)
    assert board.memory() == b"="


def test_nothing_keeps_a_board_from_a_reset():
    def fail(name):
        raise OSError(5)

    resets = []
    machine.reset = lambda: resets.append(True)
    module.borrow = fail
    Board({}).reset()
    assert resets


def test_only_named_pins_exist():
    raises(KeyError, Board(DEFINITION).switch, "GPIO4", True)
    assert hardware.edges() == []


def test_the_watchdog_is_armed_and_calmed():
    board = Board({})
    board.watch(60_000)
    board.calm()
    assert hardware.told() == ["wdt 60000", "wdt 2000000000"]


def test_a_board_without_watchdog_has_none_to_feed_or_calm():
    board = Board({})
    board.feed()
    board.calm()
    assert hardware.told() == []


def test_feeding_puts_the_watchdog_off():
    board = Board({})
    board.watch(10)
    board.feed()
    assert hardware.told() == ["wdt 10", "feed"]


def test_a_board_without_definition_has_a_name_and_no_pins():
    board = Board({}, boots=7)
    assert (board.name, board.pins, board.boots) == ("unknown", {}, 7)
