from sandbox.arguments import checked as check
from sandbox.errors import JobFailed

from fakes import FakeBoard, raises


def table(rules, **tables):
    """Stand in for an operation's module."""

    class Operation:
        ARGUMENTS = rules

    for name, value in tables.items():
        setattr(Operation, name, value)
    return Operation


TABLE = {"pin": ("pin", "gpio"), "action": ("choice", "on", "off")}
NUMBER = {"n": ("int", 1, 10)}


def rejected(rules, given, board=None):
    *said, status = raises(JobFailed, check, "op", table(rules), given, board or FakeBoard()).args
    assert status == "REJECTED"
    return tuple(said)


def test_good_arguments_pass_unchanged():
    given = {"pin": "led", "action": "off"}
    assert check("op", table(TABLE), given, FakeBoard()) == given


def test_an_unknown_member_is_named():
    code, reason = rejected(NUMBER, {"n": 1, "colour": "red"})
    assert (code, reason) == ("INVALID_ARGUMENT", "op: unknown member colour")


def test_a_missing_member_is_named():
    assert rejected(TABLE, {"pin": "led"}) == ("INVALID_ARGUMENT", "op.action is missing")
    assert rejected(TABLE, {"pin": "led", "action": None})[1] == "op.action is missing"


def test_a_wrong_choice_lists_the_right_ones():
    for value in ("ON", 1, True, ["on"], {}):
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
    assert reason == "op.pin: this board has no pin for it"


def test_whole_numbers_within_the_limits_pass():
    for n in (1, 10):
        assert check("op", table(NUMBER), {"n": n}, FakeBoard()) == {"n": n}


def test_other_numbers_are_rejected():
    for n in (0, 11, 1.5, True, "1", [], 10**30):
        reason = rejected(NUMBER, {"n": n})
        assert reason == ("INVALID_ARGUMENT", "op.n must be a whole number from 1 to 10"), n


def test_a_default_stands_in_for_an_absent_member_only():
    operation = table({"n": ("int", 1, 10)}, OPTIONAL={"n": 5})
    for absent in ({}, {"n": None}, {"n": ""}, {"n": "${aws:iot:parameter:n}"}):
        assert check("op", operation, absent, FakeBoard()) == {"n": 5}
    assert check("op", operation, {"n": 1}, FakeBoard()) == {"n": 1}
    assert raises(JobFailed, check, "op", operation, {"n": 0}, FakeBoard())


def test_a_limit_is_the_boards():
    operation = table({"n": ("int", 1, "count")})
    board = FakeBoard()
    assert check("op", operation, {"n": 100}, board) == {"n": 100}
    board.limits = {"count": 7}
    reason = raises(JobFailed, check, "op", operation, {"n": 8}, board).args[1]
    assert reason == "op.n must be a whole number from 1 to 7"


def test_what_is_for_another_member_only_says_so():
    operation = table(
        {"action": ("choice", "on", "blink"), "count": ("int", 1, 9)},
        OPTIONAL={"count": 1},
        ONLY={"count": ("action", "blink")},
    )
    given = {"action": "on", "count": 2}
    reason = raises(JobFailed, check, "op", operation, given, FakeBoard()).args[1]
    assert reason == "op.count is for action blink only"
    assert check("op", operation, {"action": "blink", "count": 2}, FakeBoard())["count"] == 2


def test_a_pin_of_another_kind_is_not_there():
    board = FakeBoard()
    board.pins["sensor"] = {"gpio": 34, "kind": "adc"}
    assert rejected({"pin": ("pin", "gpio")}, {"pin": "sensor"}, board)[0] == "UNKNOWN_PIN"
    assert check("op", table({"pin": ("pin", "adc")}), {"pin": "sensor"}, board)


def test_members_that_begin_with_an_underscore_are_comments():
    assert check("op", table(NUMBER), {"n": 1, "_comment": ""}, FakeBoard()) == {"n": 1}
