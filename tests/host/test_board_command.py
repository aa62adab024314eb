"""`jobs-sandbox board …` as a user types it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host_tools import deployed
from host_tools.__main__ import main
from host_tools.board import VirtualBoard, pins

ROOT = Path(__file__).parents[2]


@pytest.fixture
def name(sandbox_home, request):
    name = "cli-" + str(abs(hash(request.node.name)) % 10**8)
    yield name
    main(["board", "stop", name])


def test_start_list_stop(name, capsys):
    assert main(["board", "start", name]) == 0
    shown = capsys.readouterr()
    tty = shown.out.strip()
    assert Path(tty).is_symlink()
    assert f"Board {name} is on, a virtual ESP32, nothing deployed yet" in shown.err
    assert main(["board", "start", name, "--json"]) == 0
    again = capsys.readouterr()
    info = json.loads(again.out)
    assert info["tty"] == tty and info["boot"] == 1 and "already running" in again.err
    assert main(["board", "list", "--json"]) == 0
    assert [i for i in json.loads(capsys.readouterr().out) if i["name"] == name] == [info]
    assert main(["board", "list"]) == 0
    assert name in capsys.readouterr().out
    assert main(["board", "stop", name]) == 0
    assert main(["board", "stop", name]) == 0
    assert "was not running" in capsys.readouterr().err


def test_power_cut_and_reset(name, capsys):
    main(["board", "start", name])
    capsys.readouterr()
    assert main(["board", "power-cut", name]) == 0
    shown = capsys.readouterr()
    assert shown.out.endswith("/tty\n") and shown.out.count("\n") == 1, "for scripts"
    assert "lost its power in mid-flight and has it back: start 2, by power on" in shown.err
    assert main(["board", "power-cut", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cause"] == 1
    assert main(["board", "reset", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cause"] == 2


def test_pins_and_log(name, capsys):
    main(["board", "start", name])
    tty = capsys.readouterr().out.strip()
    mpremote = str(Path(sys.executable).with_name("mpremote"))
    code = "from machine import Pin; Pin(2, Pin.OUT, value=1); print('lit', Pin(0).value())"
    assert main(["board", "pins", name, "--set", "0=1"]) == 0
    shown = subprocess.run(
        [mpremote, "connect", tty, "exec", code], capture_output=True, text=True
    )
    assert shown.stdout.strip() == "lit 1"
    assert main(["board", "pins", name]) == 0
    assert re.search(r"start 2  GPIO2 led +1 \(high: on\)$", capsys.readouterr().out.strip())
    assert main(["board", "pins", name, "--json"]) == 0
    edge = json.loads(capsys.readouterr().out)
    assert edge["pin"] == 2 and list(pins(name)) == [edge]
    log = _run("log", name)
    assert "lit 1" in log.stdout


def test_a_pin_is_shown_by_its_name_and_what_its_value_means(sandbox_home, capsys):
    folder = sandbox_home / "boards" / "shown"
    folder.mkdir(parents=True)
    edges = [(5, 0, {}), (5, "z", {}), (19, 1, {}), (2, "pwm", {"freq": 50, "duty_u16": 9})]
    moment = {"t": 0.5, "name": None, "boot": 3}
    lines = [json.dumps({**moment, "pin": pin, "value": v, **more}) for pin, v, more in edges]
    (folder / "pins.jsonl").write_text("\n".join(lines) + "\n")
    assert main(["board", "pins", "shown"]) == 0
    shown = [line.partition("start 3  ")[2] for line in capsys.readouterr().out.splitlines()]
    assert shown == [
        "GPIO5 lamp     0 (low: on)",
        "GPIO5 lamp     z (released: an input, or no longer driven)",
        "GPIO19         1 (high)",
        "GPIO2 led      pwm 50 9",
    ]
    deployed.remember("shown", "t", "/nowhere/mine.toml")
    assert main(["board", "pins", "shown"]) == 0
    assert "GPIO5          0 (low)" in capsys.readouterr().out, "its definition is gone"
    deployed.forget("shown")
    (folder / "pins.jsonl").write_text("")
    assert main(["board", "pins", "shown"]) == 0
    assert "No pin of board shown has been driven yet." in capsys.readouterr().err


def test_pins_follow(name):
    main(["board", "start", name])
    follower = subprocess.Popen(
        [sys.executable, "-m", "host_tools", "board", "pins", name, "--follow", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        tty = json.loads(_run("start", name, "--json").stdout)["tty"]
        mpremote = str(Path(sys.executable).with_name("mpremote"))
        code = "from machine import Pin; Pin(4, Pin.OUT)"
        subprocess.run([mpremote, "connect", tty, "exec", code], check=True, capture_output=True)
        assert follower.stdout is not None
        edge = json.loads(follower.stdout.readline())
        assert edge["pin"] == 4 and edge["value"] == 0 and abs(edge["t"] - time.time()) < 10
        main(["board", "erase", name])
        tty_again = json.loads(_run("start", name, "--json").stdout)["tty"]
        subprocess.run(
            [mpremote, "connect", tty_again, "exec", code], check=True, capture_output=True
        )
        assert json.loads(follower.stdout.readline())["pin"] == 4, "it outlives an erase"
        main(["board", "stop", name])
        assert follower.wait(timeout=30) == 0
        assert follower.stderr is not None
        assert follower.stderr.read() == f"Board {name} is off.\n"
    finally:
        follower.kill()
        follower.wait()


def test_wrong_usage(name, capsys):
    assert main(["board", "start", "a/b"]) == 2
    assert main(["board", "start", name, "--heap", "x"]) == 2
    assert main(["board", "pins", name]) == main(["board", "log", name]) == 1
    error = capsys.readouterr().err
    assert f"There is no virtual board {name}." in error and "is not a board name" in error
    main(["board", "start", name])
    assert main(["board", "pins", name, "--set", "x=1"]) == 2
    for pin in ("99", "adc99", "28"):
        capsys.readouterr()
        assert main(["board", "pins", name, "--set", "0=1", "--set", f"{pin}=1"]) == 2
        said = capsys.readouterr().err
        assert f"A virtual ESP32 has no GPIO{pin.removeprefix('adc')}." in said
        assert "try: `jobs-sandbox boards virtual` shows its pins" in said
    assert not (VirtualBoard(name).files.inputs).exists(), "none of them is set then"
    main(["board", "stop", name])
    assert main(["board", "pins", name, "--set", "99=1"]) == 2
    assert main(["board", "pins", name, "--set", "28=1"]) == 0, "some chip has it"
    assert main(["board", "power-cut", name]) == 1
    assert f"try: jobs-sandbox board start {name}" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["board", "start", "--chip", "Z80"])
    assert caught.value.code == 2


def test_erase(name, capsys):
    assert main(["board", "erase", name]) == 0
    assert "is erased." in capsys.readouterr().err
    main(["board", "start", name])
    assert main(["board", "erase", name]) == 0
    assert "was restarted" in capsys.readouterr().err


def test_the_board_survives_the_shell_that_started_it(name):
    started = _run("start", name, "--json")
    pid = json.loads(started.stdout)["pid"]
    assert Path(f"/proc/{pid}").exists()
    assert (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[3]) == str(
        pid
    )  # session


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "host_tools", "board", *words],
        cwd=ROOT,
        capture_output=True,
        encoding="latin-1",  # the log holds mpremote's protocol bytes
        check=True,
        timeout=30,
    )


def test_starting_twice_at_once_gives_one_board(name):
    command = [sys.executable, "-m", "host_tools", "board", "start", name, "--json"]
    starts = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(3)]
    answers = [json.loads(start.communicate(timeout=30)[0]) for start in starts]
    assert len({answer["pid"] for answer in answers}) == 1
