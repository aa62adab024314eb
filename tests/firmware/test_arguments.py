from sandbox.arguments import check
from sandbox.errors import JobRejected

from fakes import FakeBoard, raises

TABLE = {"pin": ("pin",), "action": ("choice", "on", "off")}
NUMBER = {"n": ("int", 1, 10)}


def rejected(table, given, board=None):
    return raises(JobRejected, check, "op", table, given, board or FakeBoard()).args


def test_good_arguments_pass_unchanged():
    given = {"pin": "led", "action": "off"}
    assert check("op", TABLE, given, FakeBoard()) == given


def test_an_unknown_member_is_named():
    code, reason = rejected(NUMBER, {"n": 1, "colour": "red"})
    assert (code, reason) == ("INVALID_ARGUMENT", "op: unknown member colour")


def test_a_missing_member_is_named():
    assert rejected(TABLE, {"pin": "led"}) == ("INVALID_ARGUMENT", "op.action is missing")
    assert rejected(TABLE, {"pin": "led", "action": None})[1] == "op.action is missing"


def test_a_wrong_choice_lists_the_right_ones():
    for value in ("ON", "", 1, True, ["on"], {}):
        reason = rejected(TABLE, {"pin": "led", "action": value})
        assert reason == ("INVALID_ARGUMENT", "op.action must be one of on, off")


def test_a_pin_that_is_no_name_is_rejected():
    for value in (2, True, ["led"], {}):
        reason = rejected(TABLE, {"pin": value, "action": "on"})
        assert reason == ("INVALID_ARGUMENT", "op.pin must be the name of a pin")


def test_an_unknown_pin_lists_those_of_the_board():
    code, reason = rejected(TABLE, {"pin": "GPIO6", "action": "on"})
    assert (code, reason) == ("UNKNOWN_PIN", "op.pin: this board has led, relay")


def test_a_board_without_pins_says_so():
    board = FakeBoard()
    board.pins = {}
    reason = rejected(TABLE, {"pin": "led", "action": "on"}, board)[1]
    assert reason == "op.pin: this board has no pins"


def test_whole_numbers_within_the_limits_pass():
    for n in (1, 10):
        assert check("op", NUMBER, {"n": n}, FakeBoard()) == {"n": n}


def test_other_numbers_are_rejected():
    for n in (0, 11, 1.5, True, "1", [], 10**30):
        reason = rejected(NUMBER, {"n": n})
        assert reason == ("INVALID_ARGUMENT", "op.n must be a whole number from 1 to 10"), n


def test_a_default_stands_in_for_an_absent_number_only():
    table = {"n": ("int", 1, 10, 5)}
    assert check("op", table, {}, FakeBoard()) == {"n": 5}
    assert check("op", table, {"n": 1}, FakeBoard()) == {"n": 1}
    assert rejected(table, {"n": 0})[0] == "INVALID_ARGUMENT"
