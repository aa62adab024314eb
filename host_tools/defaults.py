"""What sandbox.toml says, and how it becomes the defaults of every command.

The file lies beside README.md, or where JOBS_SANDBOX_CONFIG points; nobody must have one. Options
on the command line win; a board or a cloud chosen there makes the file's choice, and what belongs
to it, void.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_tools import paths
from host_tools.errors import ToolError

VARIABLE = "JOBS_SANDBOX_CONFIG"
CLOUDS = ("local", "aws")

KEYS = (
    "board", "port", "definition", "thing", "wifi_ssid", "wifi_password",
    "cloud", "endpoint_url", "region", "profile",
)  # fmt: skip
_EXCLUSIVE = (("board", "port"), ("cloud", "endpoint_url"))
_OF_AWS = ("region", "profile")

# Where an option is not called what the file calls it: (command, its name) → key.
_ALIASES = {("board", "name"): "board", ("sandbox", "thing_name"): "thing"}
_NOT_OPTIONS = ("wifi_ssid", "wifi_password")  # deploy asks for them: the environment comes first


def path() -> Path:
    """Return where the file is, or would be."""
    return Path(os.environ.get(VARIABLE) or paths.ROOT / "sandbox.toml").absolute()


def load() -> dict[str, str]:
    """Return what the file says, {} without one. Raises ToolError, with file, line and key."""
    file = path()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ToolError(f"{file} cannot be read: {error}", f"ls -l '{file}'") from error
    known = parse(text, str(file))
    if "wifi_password" in known and file.stat().st_mode & 0o077:
        _warn_of_readers(file)
    return known


@functools.cache
def _warn_of_readers(file: Path) -> None:
    # once; nothing is refused, nor changed: it is the user's file
    print(
        f"warning: {file} holds the Wi-Fi password, and others can read or change it\n"
        f"  try: chmod 600 '{file}'",
        file=sys.stderr,
    )


def parse(text: str, name: str) -> dict[str, str]:
    """Return what a text says; `name` is what errors call it. Raises ToolError."""
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ToolError(f"{name} is no TOML: {error}", 'key = "value", a line each') from error
    for key, value in found.items():
        trouble, hint = _trouble(key, value)
        if trouble:
            raise ToolError(f"{name}, line {_line(text, key)}: {trouble}", hint)
    for one, other in _EXCLUSIVE:
        if found.get(one, "local") != "local" and other in found:
            raise ToolError(
                f"{name}, line {_line(text, other)}: {other} and {one} exclude each other",
                "one of the two",
            )
    if "profile" in found and found.get("cloud") != "aws":
        raise ToolError(
            f'{name}, line {_line(text, "profile")}: profile needs cloud = "aws"', 'cloud = "aws"'
        )
    return found


def prepare(parser: argparse.ArgumentParser, command: str, known: dict[str, str]) -> None:
    """Mark the defaults that the file can change, so that `settle` sees what was not given."""
    for action in _actions(parser):
        key = _key(command, action.dest)
        if key and not isinstance(action.default, _Default):
            action.default = _Default(action.default)
            action.required = action.required and key not in known
    for each in _parsers(parser):
        for name, value in each._defaults.items():
            if _key(command, name) and not isinstance(value, _Default):
                each._defaults[name] = _Default(value)


def settle(args: argparse.Namespace, command: str, known: dict[str, str]) -> None:
    """Fill what was not given, from the file or as the command has it.

    Adds `args.given`: the names of those options of the file's that were given.
    """
    keys = {name: key for name in vars(args) if (key := _key(command, name))}
    args.given = {name for name in keys if not isinstance(getattr(args, name), _Default)}
    usable = _usable(known, {keys[name]: getattr(args, name) for name in args.given})
    for name in keys.keys() - args.given:
        setattr(args, name, usable.get(keys[name], getattr(args, name).value))


def _usable(known: dict[str, str], given: dict[str, Any]) -> dict[str, str]:
    # What a choice on the command line leaves of the file's.
    void: set[str] = set()
    for pair in _EXCLUSIVE:
        if given.keys() & set(pair):
            void |= set(pair)
    same_cloud = given.get("cloud") == known.get("cloud", "local") and "endpoint_url" not in given
    if given.keys() & {"cloud", "endpoint_url"} and not same_cloud:
        void |= set(_OF_AWS)
    return {key: value for key, value in known.items() if key not in void}


class _Default:
    """Stands for a default while arguments are read."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:  # in a help text
        return str(self.value)


def _key(command: str, name: str) -> str:
    key = _ALIASES.get((command, name), name)
    return key if key in KEYS and key not in _NOT_OPTIONS else ""


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in set(action.choices.values()):
                yield from _parsers(each)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for each in _parsers(parser):
        yield from each._actions


def _trouble(key: str, value: object) -> tuple[str, str]:
    # (what is wrong, what to do), or two empty strings
    if key not in KEYS:
        from difflib import get_close_matches

        close = get_close_matches(key, KEYS, 1)
        return f"unknown key {key}", close[0] if close else "one of " + ", ".join(KEYS)
    if not isinstance(value, str):
        return f"{key} must be a text in quotes, not {_kind(value)}", f'{key} = "…"'
    if key == "cloud" and value not in CLOUDS:
        return f'cloud must be "local" or "aws", not {value!r}', 'cloud = "local"'
    if not value and key != "wifi_password":
        return f"{key} is empty", f"remove the line, or put a # before {key}"
    return "", ""


def _kind(value: object) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "a table" if isinstance(value, dict) else "a date or time")


def _line(text: str, key: str) -> int:
    pattern = re.compile(rf"""\s*(\[+\s*)?["']?{re.escape(key)}["']?\s*[].=]""")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return number
    return 1
