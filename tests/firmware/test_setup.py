import os

import machine
import vfs
from sandbox import files, setup
from sandbox.errors import ConfigError

import flash
import hardware
from fakes import raises

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
    config, board, context, built = setup.load()
    assert (config.thing, board.name, built) == ("lamp", "virtual", 5)
    assert board.pins == PINS
    assert context.verify_mode == 2, "CERT_REQUIRED"


def test_starts_are_counted():
    deploy()
    assert [setup.load()[1].boots for _ in range(3)] == [1, 2, 3]


def test_a_damaged_count_begins_anew():
    for damage in (b"", b"5", b"{}", b'{"boots":"many"}', b'{"boots":null}'):
        setup.count_boot()
        with open("/state/boot_count", "wb") as file:
            file.write(damage)
        assert setup.count_boot() == 1, damage
        assert setup.count_boot() == 2


def test_a_board_with_a_full_flash_starts_all_the_same():
    deploy()
    assert setup.load()[1].boots == 1
    flash.root.simulate_full()
    assert setup.load()[1].boots == 2


def test_a_forbidden_pin_is_refused_with_its_reason():
    definition = {"pins": {"led": {"gpio": 6}}, "forbidden": {"6": "flash"}}
    error = raises(ConfigError, setup.load_board, definition, 0)
    assert str(error) == "board.json: pin led: flash"


def test_a_pin_without_number_is_refused():
    for pin in ({}, {"gpio": "2"}, {"gpio": None}):
        error = raises(ConfigError, setup.load_board, {"pins": {"led": pin}}, 0)
        assert str(error) == "board.json: pin led has no gpio number"


def test_what_is_missing_is_named():
    for name in ("manifest", "config", "board"):
        for other in ("/manifest.json", "/config.json", "/board.json"):
            files.write_json(
                other, {"thing": "lamp", "endpoint": "localhost"} if "c" in other else {}
            )
        os.remove("/%s.json" % name)
        assert "/%s.json is missing" % name in str(raises(ConfigError, setup.load)), name


def test_a_start_drives_no_pin():
    deploy()
    setup.load()
    assert hardware.edges() == [] and machine.reset_cause()
