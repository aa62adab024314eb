"""Ctrl-C: what is left running or half done is told, by whoever knows it best."""

from __future__ import annotations

import argparse
from types import ModuleType

import pytest

from host_tools import __main__ as program
from host_tools.output import if_interrupted


def run_command(monkeypatch: pytest.MonkeyPatch, *left: str) -> int:
    def interrupted(_args: argparse.Namespace) -> int:
        if not left:
            raise KeyboardInterrupt
        with if_interrupted(left[0]):
            return run_command_inside(left[1:])

    def run_command_inside(rest: tuple[str, ...]) -> int:
        if not rest:
            raise KeyboardInterrupt
        with if_interrupted(rest[0]):
            return run_command_inside(rest[1:])

    command = ModuleType("host_tools.commands.ports")
    command.add_arguments = lambda _parser: None  # type: ignore[attr-defined]
    command.run = interrupted  # type: ignore[attr-defined]
    monkeypatch.setattr("importlib.import_module", lambda _name: command)
    return program.main(["ports"])


def test_what_is_left_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "the board goes on") == 130
    assert capsys.readouterr().err == "\njobs-sandbox: interrupted; the board goes on\n"


def test_the_innermost_knows_best(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "the demo is gone", "the job goes on") == 130
    assert capsys.readouterr().err == "\njobs-sandbox: interrupted; the job goes on\n"


def test_without_anything_left_there_is_nothing_to_tell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch) == 130
    assert capsys.readouterr().err == "\n"
