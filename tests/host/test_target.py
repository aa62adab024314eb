"""--board NAME | --port TTY."""

from __future__ import annotations

import argparse

import pytest

from host_tools import target
from host_tools.board import VirtualBoard
from host_tools.errors import ToolError, UsageError
from host_tools.target import Target


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    target.add_board_arguments(parser)
    return parser.parse_args(words)


def test_a_running_virtual_board(board):
    found = target.resolve(parse("--board", board.name))
    assert found.device == board.device
    assert found.board is not None and found.board.name == board.name
    assert found.label == f"virtual board {board.name}"


def test_the_default_is_the_board_sandbox_which_must_run(sandbox_home):
    with pytest.raises(ToolError, match="sandbox is not running") as caught:
        target.resolve(parse())
    assert caught.value.hint == "jobs-sandbox board start sandbox"


def test_a_real_port(tmp_path):
    port = tmp_path / "ttyUSB0"
    port.touch()
    found = target.resolve(parse("--port", str(port)))
    assert (found.device, found.board, found.label) == (str(port), None, f"board on {port}")


def test_a_port_that_is_not_there():
    with pytest.raises(ToolError, match="no serial device /dev/ttyNONE"):
        target.resolve(parse("--port", "/dev/ttyNONE"))


def test_both_at_once_and_bad_names_are_wrong_usage():
    with pytest.raises(SystemExit):
        parse("--board", "a", "--port", "b")
    with pytest.raises(UsageError):
        target.resolve(parse("--board", "a/b"))


def test_a_hint_names_the_board_unless_it_is_the_one_meant_without(
    tmp_path, monkeypatch, sandbox_home
):
    file = tmp_path / "sandbox.toml"
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(file))
    sandbox, two, port = (
        target.named(parse()),
        Target("", VirtualBoard("two")),
        Target("/a b", None),
    )
    assert sandbox.command("deploy") == "`jobs-sandbox deploy`"
    assert two.command("console --start") == "`jobs-sandbox console --start --board two`"
    assert port.command("deploy") == "`jobs-sandbox deploy --port '/a b'`"
    file.write_text('board = "two"')
    assert two.command("deploy") == "`jobs-sandbox deploy`"
    assert sandbox.command("deploy") == "`jobs-sandbox deploy --board sandbox`"
    file.write_text('port = "/a b"')
    assert port.command("deploy") == "`jobs-sandbox deploy`"
    assert sandbox.command("deploy") == "`jobs-sandbox deploy --board sandbox`"
