import network
from sandbox import commands, console, extras, files, lazy, reader, texts

import flash
import hardware
from app_around import FakeApp
from fakes import FakeBoard, until


async def done(line, app):
    lines = []
    status = await console.do(app, lines.append, line)
    return status, lines


async def test_help_lists_every_command_with_its_arguments():
    status, lines = await done("help", FakeApp())
    assert status == 0
    assert lines[0] == "  get-pending-job-executions"
    assert "  describe-job-execution <jobId>" in lines
    assert len(lines) == 2 * len(list(texts.rows("help.txt")))


async def test_every_command_of_the_help_exists():
    for name, arguments, _ in texts.rows("help.txt"):
        line = " ".join([name] + ["x"] * arguments.count("<"))
        module, function, _ = commands.find(line, print)
        assert hasattr(lazy.borrow(module), function), name


async def test_quit_ends_the_application():
    app = FakeApp()
    status, _ = await done("quit", app)
    assert status == 0 and app.left.is_set()


async def test_status_shows_how_things_stand():
    app = FakeApp()
    app.executor.journal.entry = {"jobId": "TestJob"}
    hardware.simulate_clock(2030)
    status, lines = await done("status", app)
    assert status == 0
    for line in (
        "link: online for 61 s",
        "wifi: not connected to home",
        "thing: lamp, client id lamp-1",
        "endpoint: localhost:8883",
        "executor: on, working on TestJob",
        "clock: 2030-01-01 00:00:00 UTC",
    ):
        assert line in lines, line
    assert any(line.startswith("uptime: 0.") and "boot 7, HARD_RESET" in line for line in lines)
    assert any(line.startswith("heap: ") for line in lines)
    assert any(line.startswith("firmware: ") for line in lines)
    assert any(line.startswith("micropython: 1.") and ", mpy 6, " in line for line in lines)


async def test_status_shows_address_and_signal_of_wifi():
    station = network.WLAN(network.STA_IF)
    station.active(True)
    station.connect("home", "secret")
    await until(station.isconnected)
    assert "wifi: home, 127.0.0.1, RSSI -55 dBm" in (await done("status", FakeApp()))[1]


async def test_the_manifest_is_shown_in_short_pieces():
    text = '{"files":{%s}}' % ",".join('"/f%d":"%064d"' % (n, n) for n in range(9))
    with open("/manifest.json", "w") as file:
        file.write(text)
    status, lines = await done("files manifest", FakeApp())
    assert status == 0 and all(line[0] == "|" and len(line) <= 129 for line in lines)
    assert "".join(line[1:] for line in lines) == text
    assert (await done("files else", FakeApp()))[0] == 2


async def test_status_shows_the_last_trouble():
    app = FakeApp()
    app.link.trouble = ("TLS_WRONG_CA", "")
    assert "last trouble: TLS_WRONG_CA " in (await done("status", app))[1]


async def test_status_tells_when_the_link_is_tried_again():
    app = FakeApp()
    app.link.state = "offline"
    app.link.again = app.log.uptime_ms() + 40_999
    assert "link: offline for 61 s, next attempt in 40 s" in (await done("status", app))[1]


async def test_the_executor_is_switched_and_the_switch_is_kept():
    app = FakeApp()
    for word, on in (("off", False), ("on", True)):
        assert await done("executor " + word, app) == (0, ["executor: " + word])
        assert app.executor.enabled is on
        assert reader.read_json(files.SETTINGS)["executor"] is on


async def test_a_setting_that_flash_does_not_take_is_set_all_the_same():
    app = FakeApp()
    flash.root.simulate_full()
    status, lines = await done("executor off", app)
    assert status == 0 and not app.executor.enabled
    assert "executor is set, but not kept across resets" in lines[0]


async def test_known_jobs_are_listed():
    app = FakeApp()
    assert await done("jobs", app) == (0, ["no incomplete job executions"])
    app.jobs.pending = {"b": "QUEUED", "a": "IN_PROGRESS"}
    assert await done("jobs", app) == (0, ["a IN_PROGRESS", "b QUEUED"])


async def test_pins_are_listed_with_their_state():
    app = FakeApp()
    app.board.switch("led", True)
    assert await done("pins", app) == (0, ["led: GPIO2 on", "relay: GPIO4 off"])
    app.board.pins = {
        "button": {"gpio": 0, "kind": "input"},
        "sensor": {"gpio": 34, "kind": "adc"},
    }
    assert await done("pins", app) == (0, ["button: GPIO0 off, input", "sensor: GPIO34, adc"])
    app.board = FakeBoard()
    app.board.pins = {}
    assert await done("pins", app) == (0, ["this board has no pins that jobs may use"])


async def test_the_log_is_shown():
    app = FakeApp()
    app.log.info("link", "ready")
    status, lines = await done("log", app)
    assert status == 0 and lines[0].endswith("link: ready")


async def test_the_log_level_is_set_and_kept():
    app = FakeApp()
    assert await done("log debug", app) == (0, ["log: debug"])
    assert app.log.level == "debug"
    assert reader.read_json(files.SETTINGS) == {"log": "debug"}


async def test_a_setting_is_kept_beside_the_others():
    await done("executor off", FakeApp())
    await done("log debug", FakeApp())
    assert reader.read_json(files.SETTINGS) == {"executor": False, "log": "debug"}


async def test_damaged_settings_are_replaced():
    files.write_json(files.SETTINGS, {"executor": False})
    with open(files.SETTINGS, "w") as file:
        file.write("{")
    await done("log debug", FakeApp())
    assert reader.read_json(files.SETTINGS) == {"log": "debug"}


def test_tab_knows_commands_jobs_statuses_and_levels():
    app = FakeApp()
    app.jobs.pending = {"job-b": "QUEUED", "job-a": "QUEUED", "x": "QUEUED"}
    for words, found in (
        (["st"], ["start-next-pending-job-execution", "status"]),
        (["describe-job-execution", "job"], ["job-a", "job-b"]),
        (["update-job-execution", ""], ["job-a", "job-b", "x"]),
        (["update-job-execution", "x", ""], ["SUCCEEDED", "IN_PROGRESS", "FAILED", "REJECTED"]),
        (["executor", "o"], ["on", "off"]),
        (["log", "d"], ["debug"]),
        (["jobs", ""], []),
        (["update-job-execution", "x", "FAILED", ""], []),
        (["nothing"], []),
    ):
        assert extras.complete(app, words) == found, words
