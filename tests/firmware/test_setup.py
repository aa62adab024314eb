import os

import machine
import vfs
from sandbox import crash, files, setup
from sandbox.board import Board
from sandbox.errors import ConfigError
from sandbox.log import Log

import flash
import hardware
from fakes import FakeLog, raises

PINS = {"led": {"gpio": 2}, "lamp": {"gpio": 5, "active_low": True}}


def deploy(**changed):
    """Put on the flash what deploy puts there."""
    config = {"thing": "lamp", "endpoint": "localhost"}
    board = {"board": "virtual", "pins": PINS, "forbidden": {"6": "flash"}}
    written = {"/config.json": config, "/board.json": board, "/manifest.json": {"built": 5}}
    written.update({"/" + name + ".json": value for name, value in changed.items()})
    for path, value in written.items():
        files.write_json(path, value)
    os.mkdir("/credentials")
    vfs.mount(vfs.VfsPosix(os_getenv("PKI") + "/board"), "/credentials")


def os_getenv(name):
    from uos import getenv

    return getenv(name)


def test_everything_is_read_from_flash():
    deploy()
    config, board, context, built = setup.load(FakeLog())
    assert (config.thing, board.name, built) == ("lamp", "virtual", 5)
    assert board.pins == PINS
    assert context.verify_mode == 2, "CERT_REQUIRED"


def test_starts_are_counted():
    deploy()
    assert [setup.load(FakeLog())[1].boots for _ in range(3)] == [1, 2, 3]


def test_a_damaged_count_begins_anew():
    for damage in (b"", b"5", b"{}", b'{"boots":"many"}', b'{"boots":null}'):
        setup.count_boot(Board({}), FakeLog())
        with open("/state/boot_count", "wb") as file:
            file.write(damage)
        assert setup.count_boot(Board({}), FakeLog()) == 1, damage
        assert setup.count_boot(Board({}), FakeLog()) == 2


def test_what_was_said_before_an_unordered_reset_is_kept_and_told():
    deploy()
    log = Log(lambda line: None)
    setup.load(log)
    log.info("jobs", "a started")
    machine.reset_cause = lambda: machine.WDT_RESET
    after = FakeLog()
    _, board, _, _ = setup.load(after)
    assert crash.last_words().endswith(" jobs: a started")
    assert after.says("WDT_RESET, which was not ordered; before it: I 0.")
    details = {}
    crash.explain(board, details)
    assert details["resetCause"] == "WDT_RESET" and "a started" in details["beforeReset"]


def test_a_reset_in_order_leaves_nothing_to_be_told():
    deploy()
    for in_order in (Board.calm, Board.reset):
        log = Log(lambda line: None)
        _, board, _, _ = setup.load(log)
        log.info("jobs", "a started")
        machine.reset = lambda: None
        in_order(board)
        after = FakeLog()
        setup.load(after)
        assert crash.last_words() == "" and after.entries == []


def test_what_others_left_in_memory_is_not_told():
    for other in (b"\xff\xfe", b"counter=5", b"I", b""):
        machine.RTC().memory(other)
        assert crash.recall(Board({})) == "", other


def test_a_board_with_a_full_flash_starts_all_the_same():
    deploy()
    assert setup.load(FakeLog())[1].boots == 1
    flash.root.simulate_full()
    assert setup.load(FakeLog())[1].boots == 2


def test_a_forbidden_pin_is_refused_with_its_reason():
    definition = {"pins": {"led": {"gpio": 6}}, "forbidden": {"6": "flash"}}
    error = raises(ConfigError, setup.load_board, definition)
    assert str(error) == "board.json: pin led: flash"


def test_a_pin_without_number_is_refused():
    for pin in ({}, {"gpio": "2"}, {"gpio": None}):
        error = raises(ConfigError, setup.load_board, {"pins": {"led": pin}})
        assert str(error) == "board.json: pin led has no gpio number"


def test_what_is_missing_is_named():
    for name in ("manifest", "config", "board"):
        for other in ("/manifest.json", "/config.json", "/board.json"):
            files.write_json(
                other, {"thing": "lamp", "endpoint": "localhost"} if "c" in other else {}
            )
        os.remove("/%s.json" % name)
        assert "/%s.json is missing" % name in str(raises(ConfigError, setup.load, FakeLog())), (
            name
        )


def test_a_start_drives_no_pin():
    deploy()
    setup.load(FakeLog())
    assert hardware.edges() == [] and machine.reset_cause()


def test_the_reset_cause_has_machines_name():
    for name in ("PWRON_RESET", "HARD_RESET", "WDT_RESET", "SOFT_RESET"):
        machine.reset_cause = lambda: getattr(machine, name)
        assert crash.reset_cause() == name
    machine.reset_cause = lambda: 99
    assert crash.reset_cause() == "UNKNOWN_RESET"
