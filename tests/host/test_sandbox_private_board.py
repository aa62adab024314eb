"""Boards of a command's own: never the user's, never two commands', gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from host_tools.board import VirtualBoard, list_boards
from host_tools.paths import ROOT, home
from host_tools.sandbox.private_board import private_board
from tests.board_fixture import eventually

HOLD = """
import sys
from host_tools.sandbox.private_board import private_board
with private_board('own') as board:
    print(board.name, flush=True)
    sys.stdin.read()
"""


def names() -> list[str]:
    return sorted(path.name for path in (home() / "boards").glob("own*"))


def test_board_is_gone_afterwards(sandbox_home: Path) -> None:
    with private_board("own") as board:
        assert [info.name for info in list_boards() if info.name == "own"] == ["own"]
        assert board.name == "own"
    assert names() == []


def test_users_board_of_the_same_name_is_left_alone(sandbox_home: Path) -> None:
    users = VirtualBoard("own")
    users.files.flash.write_bytes(b"the user's")
    try:
        with private_board("own") as board:
            assert board.name == "own-2"
        assert users.files.flash.read_bytes() == b"the user's"
        assert names() == ["own"]
    finally:
        users.files.flash.unlink()
        users.files.folder.rmdir()


def test_two_commands_have_one_each(sandbox_home: Path) -> None:
    with private_board("own") as first, private_board("own") as second:
        assert (first.name, second.name) == ("own", "own-2")
    assert names() == []


def test_what_a_killed_command_left_is_used_and_removed(sandbox_home: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdout.readline() == "own\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    eventually(lambda: VirtualBoard("own").info() is None)
    assert names() == ["own"]
    with private_board("own") as board:
        assert board.name == "own"
    assert names() == []
