"""The archive for a bug report: what was found, without anything secret.

Only what is made here goes in: the checks, the board's answers, versions, the ends of logs. Files
with keys, certificates or passwords are not opened; secrets that this computer knows, and whatever
looks like one, are blacked out of the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from host_tools import __version__, defaults, paths
from host_tools.deploy.settings import PASSWORD_VARIABLE
from host_tools.doctor.examination import Examination
from host_tools.errors import ToolError

_BLACK = "[removed]"
_TAIL = 64 * 1024
_SECRET_VARIABLES = (PASSWORD_VARIABLE, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SHORTEST = 4  # a shorter secret is in every text

# what is secret, or might be, by its form
_PATTERNS = (
    re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),  # access key ids of AWS
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}={0,2}"),  # keys in base64 or hex
)
_NAMED = re.compile(  # a value in quotes, escaped ones too, to its closing quote; else a word
    r"""(?i)((?:password|passphrase|secret|token)\w*[\\"']*\s*[:=]\s*)"""
    r"""(?:(?P<quote>\\?["']).*?(?P=quote)|[^\s,}]+)"""
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WITH_DIGESTS = "board.json"  # files' SHA-256 tell which version is on the board


def write(path: Path, found: Examination) -> None:
    """Write the zip, mode 0600. Raises ToolError if it cannot be written."""
    secrets = sorted(set(_known_secrets()), key=len, reverse=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as stream,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name, text in _contents(found):
                with_digests = name == _WITH_DIGESTS
                archive.writestr(name, redacted(text, secrets, keep_digests=with_digests))
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}", "another FILE") from error


def redacted(text: str, secrets: list[str], *, keep_digests: bool = False) -> str:
    """Return `text` without the secrets and without what looks like one."""

    def black(found: re.Match[str]) -> str:
        return found[0] if keep_digests and _DIGEST.fullmatch(found[0]) else _BLACK

    for secret in secrets:
        text = text.replace(secret, _BLACK)
    for pattern in _PATTERNS:
        text = pattern.sub(black, text)
    return _NAMED.sub(rf"\g<1>{_BLACK}", text).replace(str(Path.home()), "~")


def _contents(found: Examination) -> Iterator[tuple[str, str]]:
    yield "checks.json", _json([check.as_dict() for check in found.checks])
    yield "computer.json", _json(_computer())
    if found.facts:
        board = {**vars(found.facts)}
        yield "board-log.txt", "\n".join(board.pop("log"))
        yield "board.json", _json(board)
    yield "sandbox.json", _json(_settings())
    for path in _logs():
        yield f"logs/{path.parent.name}-{path.name}", _end_of(path)


def _computer() -> dict[str, Any]:
    return {
        "jobs-sandbox": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "packages": dict(sorted((each.name, each.version) for each in distributions())),
    }


def _settings() -> dict[str, str]:
    # names of the settings only where the value is nobody's business
    try:
        known = defaults.load()
    except ToolError as error:
        return {"error": error.message}
    return {key: _BLACK if key.startswith("wifi") else value for key, value in known.items()}


def _logs() -> list[Path]:
    home = paths.home()
    cloud = [home / "cloud" / "cloud.log", home / "cloud" / "refusals.jsonl"]
    # no serial.log: it has what deploys have read and sent
    boards = sorted(home.glob("boards/*/supervisor.log"))
    return [path for path in (*cloud, *boards) if path.is_file()]


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _TAIL))
            return stream.read().decode(errors="replace")
    except OSError as error:
        return str(error)


def _known_secrets() -> Iterator[str]:
    values = [os.environ.get(name, "") for name in _SECRET_VARIABLES]
    with contextlib.suppress(ToolError):  # a file that cannot be read is not packed either
        values.append(defaults.load().get("wifi_password", ""))
    yield from (value for value in values if len(value) >= _SHORTEST)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, default=str)
