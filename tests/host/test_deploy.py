"""Deploying onto a real virtual board: what is copied, kept, removed, and how it is finished."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
import serial

from host_tools.deploy import build
from host_tools.deploy.plan import sha256
from host_tools.deploy.running import Application
from host_tools.errors import ToolError
from tests.host.deploy_bench import *  # noqa: F403
from tests.host.deploy_bench import CONNECTS, DEVICE, Bench


def test_board_gets_exactly_the_firmware_and_runs_it(bench: Bench) -> None:
    (bench.firmware / "sandbox" / "causes.txt").write_text("a|b|c\n")
    (bench.firmware / "sandbox" / "deep").mkdir()
    (bench.firmware / "sandbox" / "deep" / "er.py").write_text("x = 1\n")
    done = bench.deploy()

    assert done.connected and done.restarted
    found = bench.files()
    expected = {name: sha256(content) for name, content in build.application(umqtt=True).items()}
    assert {name: found[name] for name in expected} == expected
    assert sorted(set(found) - set(expected)) == [
        "/board.json",
        "/config.json",
        "/credentials/private_key.der",
        "/credentials/root_ca_1.der",
        "/manifest.json",
    ]
    assert done.changed == sorted(found)
    assert found["/credentials/private_key.der"] == sha256(b"key")
    assert "/sandbox/deep/er.mpy" in found
    assert found["/sandbox/causes.txt"] == sha256(b"a|b|c\n")
    assert json.loads(bench.mpremote("fs", "cat", ":/config.json")) == {
        "thing": "thing",
        "client_id": "thing",
        "endpoint": "iot.invalid",
        "port": 8883,
        "wifi": {"ssid": "virtual", "password": ""},
    }
    board = json.loads(bench.mpremote("fs", "cat", ":/board.json"))
    assert board["pins"]["led"]["gpio"] == 2


def test_manifest_lists_every_file_with_its_hash(bench: Bench) -> None:
    before = int(time.time())
    bench.deploy()
    manifest = json.loads(bench.mpremote("fs", "cat", ":/manifest.json"))
    assert manifest["version"] == "0.1.0"
    assert manifest["mpy"] == 6
    assert before <= manifest["built"] <= time.time()
    found = bench.files()
    del found["/manifest.json"]
    assert manifest["files"] == found


def test_second_run_copies_nothing(bench: Bench) -> None:
    bench.deploy()
    before = bench.files()
    second = bench.deploy()
    assert (second.changed, second.removed, second.bytes) == ([], [], 0)
    assert second.same == len(before)
    assert second.connected  # mpremote, looking, had broken into it
    assert bench.files() == before


def test_what_differs_is_copied_and_nothing_else(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    first = bench.deploy()
    bench.write(greeting="def greet():\n    print('hello')\n")
    done = bench.deploy()
    assert done.changed == ["/manifest.json", "/sandbox/greeting.mpy"]
    assert done.same == len(first.changed) - 2
    said = capsys.readouterr().err
    assert f"plan: 2 changed, {done.same} same, 1 KB to send" in said
    assert "mpy-cross -O2 -s greeting " in said
    assert "fs cp greeting.mpy :/sandbox/greeting.mpy" in said


def test_strays_go_and_what_is_not_ours_stays(bench: Bench) -> None:
    bench.write(old="")
    (bench.firmware / "webrepl_cfg.py").write_text("PASS = 1\n")
    bench.deploy()
    (bench.firmware / "sandbox" / "old.py").unlink()
    (bench.firmware / "webrepl_cfg.py").unlink()
    bench.on_board(
        "import os\n"
        "for d in ('/state', '/lib', '/sandbox/left', '/sandbox/left/over'): os.mkdir(d)\n"
        "for p in ('/state/journal.json', '/lib/mine.py', '/notes.txt', '/sandbox/left/over/x',"
        " '/sandbox/greeting.py', '/credentials/root_ca_3.der', '/umqtt/robust.py'):\n"
        "    f = open(p, 'w'); f.write('x'); f.close()\n"
    )
    done = bench.deploy()
    assert sorted(done.removed) == [
        "/credentials/root_ca_3.der",
        "/sandbox/greeting.py",
        "/sandbox/left",
        "/sandbox/left/over",
        "/sandbox/left/over/x",
        "/sandbox/old.mpy",
        "/umqtt/robust.py",
        "/webrepl_cfg.mpy",
    ]
    found = bench.files()
    assert {"/state/journal.json", "/lib/mine.py", "/notes.txt"} < set(found)
    assert not set(done.removed) & set(found)
    assert bench.deploy().removed == []


def test_damaged_file_is_put_right(bench: Bench) -> None:
    bench.deploy()
    bench.on_board("f = open('/sandbox/greeting.mpy', 'ab'); f.write(b'x'); f.close()")
    assert bench.deploy().changed == ["/manifest.json", "/sandbox/greeting.mpy"]


def test_damaged_configuration_is_put_right(bench: Bench) -> None:
    bench.deploy()
    bench.on_board("f = open('/config.json', 'wb'); f.write(b'\\xff\\x00'); f.close()")
    assert bench.deploy().changed == ["/config.json", "/manifest.json"]


def test_settings_on_the_board_are_kept_and_identity_is_replaced(bench: Bench) -> None:
    bench.deploy()
    bench.on_board(
        "import json\n"
        "c = json.load(open('/config.json'))\n"
        "c.update(log='debug', keepalive_s=300, nonsense=1, thing='other')\n"
        "f = open('/config.json', 'w'); json.dump(c, f); f.close()"
    )
    bench.deploy(replace(DEVICE, endpoint="elsewhere.invalid"))
    config = json.loads(bench.mpremote("fs", "cat", ":/config.json"))
    assert (config["log"], config["keepalive_s"]) == ("debug", 300)
    assert (config["thing"], config["endpoint"]) == ("thing", "elsewhere.invalid")
    assert "nonsense" not in config


def test_wifi_comes_from_option_and_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBS_SANDBOX_WIFI_PASSWORD", "geheim")
    bench.deploy(wifi_ssid="home")
    config = json.loads(bench.mpremote("fs", "cat", ":/config.json"))
    assert config["wifi"] == {"ssid": "home", "password": "geheim"}
    assert "geheim" not in capsys.readouterr().err


def test_dry_run_changes_nothing_and_lets_the_application_run_on(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.deploy()
    before = bench.files()
    bench.write(greeting="x = 1\n")
    done = bench.deploy(dry_run=True)
    assert done.changed == ["/manifest.json", "/sandbox/greeting.mpy"]
    assert not done.restarted
    assert bench.files() == before
    assert "nothing was changed" in capsys.readouterr().err


def test_clock_is_set_from_the_host(bench: Bench) -> None:
    bench.write(main="import time\nprint('I 0.0 link: ready')\nprint('clock', time.gmtime())\n")
    bench.deploy(wait_s=0)
    year = int(bench.on_board("import time; print(time.gmtime()[0])"))
    assert year >= 2025
    offset = float(bench.on_board("import time; print(time.time() + 946684800)")) - time.time()
    assert abs(offset) < 3


def test_umqtt_is_there_for_a_board_without_a_frozen_one(bench: Bench) -> None:
    bench.deploy()
    assert "MQTTClient" in bench.on_board("import umqtt.simple; print(dir(umqtt.simple))")


def test_application_that_prints_without_end_is_broken_into(bench: Bench) -> None:
    bench.write(main="print('I 0.0 link: ready')\nwhile True:\n    print('noise')\n")
    bench.deploy()
    bench.write(main=CONNECTS)
    assert bench.deploy().changed == ["/main.py", "/manifest.json"]


def test_application_with_an_armed_watchdog_is_calmed(bench: Bench) -> None:
    bench.write(
        board="import machine\nwdt = machine.WDT(timeout=2500)\n",
        main="from sandbox import board\nimport time\nprint('I 0.0 link: ready')\n"
        "while True:\n    board.wdt.feed()\n    time.sleep_ms(100)\n",
    )
    bench.deploy()
    boots = bench.board.require_running().boot
    bench.write(greeting="x = 1\n")

    def slowly(sent: int, total: int) -> None:
        if sent == 0:
            time.sleep(3)

    assert bench.deploy(progress=slowly).connected
    # one soft reset for a clean interpreter, one to start; the watchdog's would be a third
    assert bench.board.require_running().boot == boots + 2


# An application whose console has the machine mode, and in it the command `files`.
TELLS_FILES = """
import binascii, hashlib, os, sys
print('I 0.001 link: ready')
def walk(folder):
    if folder:
        print('-', folder)
    for e in sorted(os.ilistdir(folder or '/')):
        path = folder + '/' + e[0]
        if e[1] != 0x4000:
            with open(path, 'rb') as f:
                print(binascii.hexlify(hashlib.sha256(f.read()).digest()).decode(), path)
        elif e[0] in ('sandbox', 'umqtt', 'credentials'):
            walk(path)
line = b''
while True:
    byte = sys.stdin.buffer.read(1)
    if byte == b'\\x1e':
        print('\\x1eready 0.1.0 virtual thing')
    elif byte != b'\\r':
        line += byte
    else:
        if line == b'files':
            walk('')
        if line == b'status':
            print('link: online for 3 s')
        print('\\x1e0')
        line = b''
"""


def test_board_that_is_up_to_date_and_running_is_not_disturbed(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write(main=TELLS_FILES)
    bench.deploy()
    boot = bench.board.require_running().boot
    done = bench.deploy()
    assert bench.board.require_running().boot == boot
    assert not done.restarted
    assert done.connected
    assert (done.changed, done.removed, done.bytes) == ([], [], 0)
    assert (
        "plan: nothing to do, 10 same; the sandbox there is left alone" in capsys.readouterr().err
    )


def wait_for_application(bench: Bench) -> None:
    deadline = time.monotonic() + 60
    with serial.Serial(bench.board.device) as port:
        while Application(port, bench.target).find() != "thing":
            assert time.monotonic() < deadline


def test_application_runs_on_after_a_deploy_that_was_given_up(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write(main=TELLS_FILES)
    bench.deploy()
    (bench.firmware / "sandbox" / "large.txt").write_text("x" * 3_000_000)
    with pytest.raises(ToolError, match="is full"):
        bench.deploy()
    assert "starting again what was running" in capsys.readouterr().err
    (bench.firmware / "sandbox" / "large.txt").unlink()
    wait_for_application(bench)
    assert not bench.deploy().restarted


def test_ctrl_c_lets_the_old_application_run_on(bench: Bench) -> None:
    bench.write(main=TELLS_FILES)
    bench.deploy()
    old = (bench.firmware / "sandbox" / "greeting.py").read_text()
    bench.write(greeting="x = 1\n")

    def ctrl_c(sent: int, total: int) -> None:
        if sent:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.deploy(progress=ctrl_c)
    wait_for_application(bench)
    bench.write(greeting=old)
    assert bench.deploy().connected


@pytest.mark.parametrize("change", ["changed", "stray", "credential"])
def test_running_board_that_differs_is_brought_up_to_date(change: str, bench: Bench) -> None:
    bench.write(main=TELLS_FILES, old="")
    bench.deploy()
    device = DEVICE
    if change == "changed":
        bench.write(greeting="x = 1\n")
    elif change == "stray":
        (bench.firmware / "sandbox" / "old.py").unlink()
    else:
        device = replace(DEVICE, credentials={**DEVICE.credentials, "root_ca_1.der": b"new"})
    done = bench.deploy(device)
    assert done.restarted
    assert len(done.changed) + len(done.removed) == 2
