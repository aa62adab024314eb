"""Writes sandbox.toml: changes the lines of some keys and leaves all others, comments included."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping

from host_tools import defaults, paths
from host_tools.errors import ToolError

EXAMPLE = paths.ROOT / "docs" / "sandbox.example.toml"


def write(changes: Mapping[str, str | None]) -> None:
    """Set keys, or with None take them out; the file is made from the example if it is not there.

    It has mode 0600, for it may hold a password. Raises ToolError.
    """
    file = defaults.path()
    before = file.read_text(encoding="utf-8") if file.exists() else _fresh()
    wanted = {**defaults.parse(before, str(file)), **changes}
    text = edited(before, changes)
    expected = {key: value for key, value in wanted.items() if value is not None}
    if defaults.parse(text, "what was asked for") != expected:
        raise ToolError(f"{file} is written in a way that init cannot change", "change it by hand")
    _write_private(text)


def edited(text: str, changes: Mapping[str, str | None]) -> str:
    """Return a text with keys set or, for None, commented out."""
    for key, value in changes.items():
        active = re.compile(rf"^[ \t]*{key}[ \t]*=.*$", re.MULTILINE)
        silent = re.compile(rf"^#[ \t]*{key}[ \t]*=.*$", re.MULTILINE)
        found = active.search(text) or (silent.search(text) if value is not None else None)
        if value is None:
            # why not keep the value in the comment: it may be a password
            line = f'# {key} = "…"'
        else:
            line = f"{key} = {json.dumps(value, ensure_ascii=False)}"  # a TOML basic string, too
        if found:
            text = text[: found.start()] + line + text[found.end() :]
        elif value is not None:
            text = f"{text.rstrip()}\n{line}\n" if text.strip() else f"{line}\n"
    return text


def _fresh() -> str:
    return EXAMPLE.read_text(encoding="utf-8") if EXAMPLE.exists() else ""


def _write_private(text: str) -> None:
    file = defaults.path()
    temporary = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        temporary.replace(file)
    except OSError as error:
        raise ToolError(
            f"{file} cannot be written: {error.strerror}", f"{defaults.VARIABLE}=FILE"
        ) from error
