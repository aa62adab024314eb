"""The fault buttons, from the command to what the board meets."""

from __future__ import annotations

import datetime
import itertools
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from host_tools.__main__ import main
from host_tools.board import faults
from host_tools.board.buttons import BUTTONS, push, seconds
from host_tools.errors import UsageError
from tests.board_fixture import Board, eventually
from tests.host.test_board_network import UP

ASK = """
import socket, time
def connect(port):
    s = socket.socket(); s.connect(socket.getaddrinfo('127.0.0.1', port)[0][-1]); return s
def echo(s, data=b'hello'):
    began = time.ticks_ms(); s.write(data); got = s.read(len(data))
    assert got == data, got; return time.ticks_diff(time.ticks_ms(), began)
"""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of an echo server."""
    listening = socket.create_server(("127.0.0.1", 0))

    def echo(client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(1000):
                    client.sendall(data)
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.fixture
def fault(board: Board) -> Callable[..., int]:
    """Types `board fault NAME …`."""
    return lambda *words: main(["board", "fault", board.name, *words])


def test_each_fault_says_what_it_does_and_when_it_ends(board, fault, capsys):
    values = {"clock": "2001-02-03", "slow-link": "20ms", "wifi-drop": "2s"}
    for name in BUTTONS:
        assert fault(name, *values.get(name, "").split()) == 0
        said = capsys.readouterr().err
        assert said.startswith(f"Board {board.name}: ") and len(said) > 40
    assert fault("freeze-link", "90s") == 0
    assert "for 90 s" in capsys.readouterr().err
    assert fault("no-ap") == 0
    assert "until `board fault none`" in capsys.readouterr().err
    assert fault("--json") == 0
    assert json.loads(capsys.readouterr().out) == {"link": {"frozen": True}, "wifi": "no-ap"}
    assert fault("none") == 0


def test_without_a_fault_those_there_are_and_those_in_effect_are_listed(board, fault, capsys):
    assert fault() == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"no fault is in effect on board {board.name}; these can be:"
    assert [line.split()[0] for line in shown[1:]] == list(BUTTONS)
    for words in (["no-ap"], ["slow-link"], ["flash-full", "90s"]):
        fault(*words)
    capsys.readouterr()
    fault()
    shown = [line for line in capsys.readouterr().out.splitlines() if "in effect" in line]
    assert [line.partition(": ")[2] for line in shown] == [
        "no-ap (the access point is out of reach), until `board fault none`",
        shown[1].partition(": ")[2],
        "slow-link, until `board fault none`",
    ]
    assert re.search(r"flash-full \(.*\), (90|8\d) s more$", shown[1])


def test_the_board_need_not_be_named(sandbox_home, capsys):
    assert main(["board", "fault"]) == 0, "the list needs no board"
    assert "wifi-drop" in capsys.readouterr().out
    assert main(["board", "fault", "wifi-drop"]) == 1
    assert "Virtual board sandbox is not running" in capsys.readouterr().err
    for words in (["wifi-dorp"], ["wifi-dorp", "5s"]):
        assert main(["board", "fault", *words]) == 2
        assert "wifi-dorp is neither a fault nor a board that runs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["volcano"],
        ["cut-link", "5s"],
        ["freeze-link", "soon"],
        ["freeze-link", "0s"],
        ["clock"],
        ["clock", "noon"],
        ["no-ap", "5s", "6s"],
    ],
)
def test_a_fault_that_cannot_be_is_wrong_usage(fault, capsys, words):
    assert fault(*words) == 2
    assert "try: " in capsys.readouterr().err


def test_a_board_that_does_not_run_has_no_faults(sandbox_home, capsys):
    assert main(["board", "fault", "nobody", "no-ap"]) == 1
    assert "is not running" in capsys.readouterr().err


def test_durations():
    for text, value in (("500ms", 0.5), ("30s", 30), ("2m", 120), ("1h", 3600), ("7", 7)):
        assert seconds(text) == value
    with pytest.raises(UsageError):
        seconds("5 s")


def test_a_fault_ends_by_itself(board):
    faults.press(board.files, "ntp", "unreachable", for_s=3)
    assert faults.pressed(board.files) == {"ntp": "unreachable"}
    query = "import ntptime; ntptime.timeout = 0\ntry: ntptime.settime(); print('set')\n"
    query += "except OSError as e: print(e.errno)"
    assert board.run(UP + query) == "110"
    eventually(lambda: faults.pressed(board.files) == {})
    assert board.run(query) == "set"


def test_the_clock_of_a_running_board_is_set(board):
    year = "import time; print(time.gmtime()[0])"
    assert board.run(year) == "2000"
    push(board.files, "clock", "2031-07-01")
    assert board.run(year) == "2031"
    push(board.files, "clock", "-400d")
    now = datetime.datetime.now(datetime.UTC)
    assert board.run(year) == str((now - datetime.timedelta(days=400)).year)
    board.reset()
    assert board.run(year) != "2000", "the RTC lives through a reset"


def test_a_full_flash_takes_nothing_and_keeps_what_it_has(board):
    board.put(old_txt="old")
    write = (
        "\ntry:\n with open('new.txt', 'w') as f: f.write('new')\nexcept OSError as e: print(e)"
    )
    push(board.files, "flash-full")
    assert board.run(write) == "36", "lfs.c says so when the name of a new file finds no room"
    assert board.run("import os; print(open('old.txt').read(), os.listdir())").startswith("old ")
    push(board.files, "none")
    assert board.run(write + "\nprint(open('new.txt').read())") == "new"


def test_connections_pass_unharmed_without_a_fault(board, port):
    code = f"s = connect({port}); t = connect({port}); echo(s); echo(t, bytes(20000)); print('ok')"
    assert board.run(UP + ASK + code) == "ok"


def test_what_does_not_listen_refuses_and_is_not_hidden(board):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
        code = f"\ntry: connect({closed})\nexcept OSError as e: print(e.errno)"
        assert board.run(UP + ASK + code) == "111"


def test_a_board_can_listen_itself(board):
    code = (
        "import asyncio\nasync def main():\n"
        " async def serve(r, w): w.write(await r.read(5)); await w.drain(); w.close()\n"
        " await asyncio.start_server(serve, '127.0.0.1', 18733)\n"
        " r, w = await asyncio.open_connection('127.0.0.1', 18733)\n"
        " w.write(b'hello'); await w.drain(); print(await r.read(5))\nasyncio.run(main())"
    )
    assert board.run(UP + code) == "b'hello'"


def test_slow_link(board, port):
    board.run(UP + ASK + f"s = connect({port})")
    push(board.files, "slow-link", "500ms")
    eventually(lambda: int(board.run("print(echo(s))")) >= 1000)
    push(board.files, "none")
    eventually(lambda: int(board.run("print(echo(s))")) < 1000)


def test_dribble_link(board, port):
    board.run(UP + ASK + f"s = connect({port})")
    push(board.files, "dribble-link")
    eventually(lambda: int(board.run("print(echo(s, b'x' * 100))")) >= 100)


@pytest.mark.parametrize("button", ["freeze-link", "wifi-drop"])
def test_frozen_link_holds_everything_back_until_it_ends(board, port, button):
    board.run(UP + ASK + f"s = connect({port})")
    push(board.files, button, "2s")
    eventually(lambda: int(board.run("print(echo(s))")) >= 200)


def test_cut_link_resets_the_connections_of_now_only(board, port):
    code = "\ntry: print(s.read(1))\nexcept OSError as e: print(e.errno)\n"
    board.run(UP + ASK + f"s = connect({port}); echo(s)")
    push(board.files, "cut-link")
    assert board.run(code) == "104"
    assert board.run(f"s = connect({port}); echo(s); print('ok')") == "ok"


def test_a_connection_ends_when_the_other_end_closes(board):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        board.run(UP + ASK + f"s = connect({listening.getsockname()[1]})")
        client, _ = listening.accept()
        client.sendall(b"bye")
        client.close()
        assert board.run("print(s.read())") == "b'bye'"


def test_a_power_cut_in_the_middle_of_the_next_writes(board):
    boots = board.boot
    push(board.files, "kill-during-job")
    with board.line() as line:
        line.send(b"\r\x03\r")
        for number in itertools.count():
            line.send(b"open('f%d', 'w').close()\r" % number)
            if number > 20:
                break
        line.read_until(b"POWERON_RESET")
    board.wait_for_boot(boots + 1)
