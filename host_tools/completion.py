"""Completion in a shell: argcomplete asks the same parsers that read the command line.

Only the module of the command being typed is imported, so Tab answers fast.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from host_tools import paths
from host_tools.commands import COMMANDS

SHELLS = ("bash", "zsh", "fish")
_PORTS = ("ttyUSB*", "ttyACM*", "cu.usb*", "cu.wchusb*", "cu.SLAB*")


def script(shell: str) -> str:
    """Return what the shell must read, once or in its start file."""
    from argcomplete.shell_integration import shellcode

    return str(shellcode(["jobs-sandbox"], shell=shell))


def answer() -> None:
    """Answer the shell, which has put the line typed so far in COMP_LINE; ends the process."""
    import argcomplete

    command = _command(os.environ.get("COMP_LINE", ""))
    argcomplete.autocomplete(_parser(command), always_complete_options="long")


def _command(line: str) -> str:
    words = [word for word in line.split()[1:] if word != "--debug"]
    return words[0] if words and words[0] in COMMANDS else ""


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jobs-sandbox")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    parser.add_argument("--version", action="store_true", help="show the version")
    commands = parser.add_subparsers()
    for name, text in COMMANDS.items():
        each = commands.add_parser(name, help=text)
        if name == command:
            _fill(each, name)
    return parser


def _fill(parser: argparse.ArgumentParser, name: str) -> None:
    importlib.import_module(f"host_tools.commands.{name}").add_arguments(parser)
    _complete(parser, name)


def _complete(parser: argparse.ArgumentParser, command: str) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _complete(each, command)
        name = "board" if (command, action.dest) == ("board", "name") else action.dest
        if name in _COMPLETERS:
            action.completer = _COMPLETERS[name]  # type: ignore[attr-defined]


def _boards(**_asked: object) -> list[str]:
    return ["sandbox", *(each.name for each in (paths.home() / "boards").glob("*/"))]


def _things(**_asked: object) -> list[str]:
    found = (paths.home() / "things").glob("*/thing.json")
    return [each.parent.name.replace("=", ":") for each in found]


def _ports(**_asked: object) -> list[str]:
    return [str(each) for pattern in _PORTS for each in Path("/dev").glob(pattern)]


def _definitions(**_asked: object) -> list[str]:
    return [each.stem for each in paths.BOARDS.glob("*.toml")]


def _profiles(**_asked: object) -> list[str]:
    file = Path(os.environ.get("AWS_CONFIG_FILE") or Path.home() / ".aws" / "config")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return re.findall(r"^\[(?:profile )?([^\]\s]+)\]", text, re.MULTILINE)


_COMPLETERS: dict[str, Callable[..., list[str]]] = {
    "board": _boards,
    "thing": _things,
    "thing_name": _things,
    "port": _ports,
    "definition": _definitions,
    "profile": _profiles,
}
