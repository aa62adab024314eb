from sandbox import config, files
from sandbox.errors import ConfigError

import flash
from fakes import raises

LEAST = {"thing": "lamp", "endpoint": "localhost"}


def refused(**members):
    return str(raises(ConfigError, config.parse, dict(LEAST, **members)))


def test_the_defaults_stand_where_nothing_is_said():
    read = config.parse(LEAST)
    assert (read.client_id, read.port, read.keepalive_s) == ("lamp", 8883, 60)
    assert (read.executor, read.log, read.wifi) == (True, "info", {})
    assert read.ntp[0] == "pool.ntp.org"


def test_what_is_said_stands():
    wifi = {"ssid": "home", "password": "secret"}
    read = config.parse(dict(LEAST, client_id="x", port=1, executor=False, wifi=wifi))
    assert (read.client_id, read.port, read.executor, read.wifi) == ("x", 1, False, wifi)


def test_an_unknown_member_is_named():
    assert refused(colour="red") == "config.json: unknown member colour"


def test_a_missing_member_is_named():
    error = raises(ConfigError, config.parse, {"thing": "lamp"})
    assert str(error) == "config.json: endpoint is missing"


def test_a_member_of_the_wrong_type_is_named():
    for name, value, kind in (
        ("thing", 5, "str"),
        ("port", "8883", "int"),
        ("port", True, "int"),
        ("wifi", [], "dict"),
        ("executor", 1, "bool"),
        ("ntp", "pool.ntp.org", "list"),
        ("log", None, "str"),
    ):
        assert refused(**{name: value}) == "config.json: %s must be of type %s" % (name, kind)


def test_numbers_out_of_their_limits_are_refused():
    for name, low, high in (
        ("port", 1, 65535),
        ("keepalive_s", 2, 1200),
        ("receive_limit", 1024, 131072),
        ("watchdog_s", 0, 3600),
    ):
        for value in (low - 1, high + 1):
            assert refused(**{name: value}).startswith("config.json: %s must be between" % name)
        for value in (low, high):
            assert getattr(config.parse(dict(LEAST, **{name: value})), name) == value


def test_a_log_level_that_does_not_exist_is_refused():
    assert refused(log="loud").startswith("config.json: log must be one of error, warning")


def test_the_boards_own_settings_go_over_the_configuration():
    files.write_json("/config.json", LEAST)
    files.write_json(files.SETTINGS, {"executor": False, "log": "debug"})
    read = config.load()
    assert (read.executor, read.log, read.thing) == (False, "debug", "lamp")


def test_the_configuration_stands_when_the_settings_cannot_be_read():
    files.write_json("/config.json", LEAST)
    files.write_json(files.SETTINGS, {"executor": False})
    for damage in (b"", b"{", b"[]", b'{"executor": "maybe"}', b'{"of_another_version": 1}'):
        with open(files.SETTINGS, "wb") as file:
            file.write(damage)
        read = config.load()
        assert (read.executor, read.thing) == (True, "lamp"), damage


def test_a_missing_or_damaged_configuration_is_named():
    assert "/config.json is missing" in str(raises(ConfigError, config.load))
    with open("/config.json", "w") as file:
        file.write("{")
    assert str(raises(ConfigError, config.load)) == "/config.json is not JSON"
    assert flash.root.operations
