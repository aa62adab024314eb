"""Finds the firmware for a build: a file, the cache, or MicroPython's download page.

What is downloaded is kept in the user's cache folder (JOBS_SANDBOX_CACHE, or as the system has
it) with its SHA-256 beside it, once it was found whole: a download that failed leaves nothing.
Names are BUILD-YYYYMMDD-vX.Y.Z.bin (MicroPython tools/autobuild/autobuild.sh).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import ToolError, UsageError
from host_tools.flash import download
from host_tools.flash.download import Progress
from host_tools.output import say

DEFAULT_VERSION = "1.28.0"  # freezes umqtt.simple 1.7.0
NEWEST = "newest"
CACHE_VARIABLE = "JOBS_SANDBOX_CACHE"
URL_VARIABLE = "JOBS_SANDBOX_FIRMWARE_URL"

_SITE = "https://micropython.org"
_DATES = {"1.28.0": "20260406"}
_LARGEST = 16 << 20  # bytes of flash that a chip can run from

# SHA-256 of files of the default version, each as published by several projects that use them
# and agree. Others are kept as they first came, over HTTPS.
_PINNED = {
    "ESP32_GENERIC-20260406-v1.28.0.bin": (
        "cd7820d02c35d34dd403b44263129c6a511b350aea8446c229890753fe240784"
    ),
    "ESP32_GENERIC_S3-SPIRAM_OCT-20260406-v1.28.0.bin": (
        "67c19ae123d84152019b57526ed5291dd0a2b4edd87655c5f76b46c9a62ff5dd"
    ),
}


@dataclass(frozen=True)
class Firmware:
    """Firmware in hand. `data` is None if it is yet to be downloaded, which a dry run does not."""

    name: str
    origin: str
    data: bytes | None = None

    @property
    def sha256(self) -> str | None:
        """Return the SHA-256 of the data, in hexadecimal."""
        return None if self.data is None else hashlib.sha256(self.data).hexdigest()


def from_file(path: Path) -> Firmware:
    """Return the firmware in a file; ToolError if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ToolError(
            f"cannot read {path}: {error.strerror}", "--firmware, the path of a .bin file"
        ) from error
    if len(data) > _LARGEST:
        raise ToolError(f"{path} is no firmware: it is larger than 16 MB", "another --firmware")
    return Firmware(path.name, str(path), data)


def check_version(version: str) -> None:
    """Raise UsageError unless it is X.Y, X.Y.Z or NEWEST."""
    if version != NEWEST and not re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
        raise UsageError(
            f"{version!r} is no version of MicroPython", f"{DEFAULT_VERSION}, {NEWEST}"
        )


def obtain(
    build: str,
    version: str,
    check: Callable[[str, bytes], object],
    progress: Progress,
    *,
    may_download: bool = True,
) -> Firmware:
    """Return the firmware of a build, "ESP32_GENERIC_C3" for instance, from the cache if there.

    `version`: X.Y.Z, or NEWEST to look for what the download page has. `check` is given name and
    bytes and raises if they are not to be kept. Raises ToolError if it cannot be had.
    """
    check_version(version)
    folder = _folder()
    with _locked(folder):
        name = _name(folder, build, version)
        kept = _kept(folder / name)
        if kept is not None:
            return Firmware(name, str(folder / name), kept)
        url = f"{_site()}/resources/firmware/{name}"
        if not may_download:
            return Firmware(name, url)
        say(f"downloading {url}")
        with _temporary(folder / (name + ".part")) as part:
            data = download.to_file(url, part, _LARGEST, progress)
            _check_pinned(name, data)
            check(name, data)
            _keep(part, folder / name, data)
    return Firmware(name, str(folder / name), data)


def _folder() -> Path:
    """Return the cache folder, made if missing; ToolError if that cannot be."""
    folder = _cache() / "firmware"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_keep(folder, error) from error
    return folder


def _cache() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "jobs-sandbox"
    xdg = os.environ.get("XDG_CACHE_HOME", "")  # XDG: a relative path is to be ignored
    return (Path(xdg) if xdg.startswith("/") else Path.home() / ".cache") / "jobs-sandbox"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Two boards may be flashed at the same time; the second waits for the first one's download.
    try:
        file = (folder / ".lock").open("a")
    except OSError as error:
        raise _cannot_keep(folder, error) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _site() -> str:
    site = os.environ.get(URL_VARIABLE, _SITE).rstrip("/")
    if not site.startswith(("http://", "https://")):
        raise ToolError(f"{URL_VARIABLE} is {site!r}, no address", f"unset it, for {_SITE}")
    return site


def _name(folder: Path, build: str, version: str) -> str:
    """Return the name of the file: from the cache, the table of dates, or the download page."""
    if version in _DATES:
        return f"{build}-{_DATES[version]}-v{version}.bin"
    if version != NEWEST:
        for path in sorted(folder.glob(f"{build}-*-v{version}.bin")):
            if _name_of(build).fullmatch(path.name):
                return path.name
    listed = _listed(build)
    wanted = max(listed) if version == NEWEST else _numbers(version)
    if wanted not in listed:
        has = ", ".join(".".join(map(str, each)) for each in sorted(listed)[-4:])
        raise ToolError(f"{_site()} has no {build} v{version}", f"--version, one of {has}")
    return listed[wanted]


def _name_of(build: str) -> re.Pattern[str]:
    return re.compile(re.escape(build) + r"-\d{8}-v(\d+\.\d+(?:\.\d+)?)\.bin")


def _listed(build: str) -> dict[tuple[int, ...], str]:
    """Return the releases of a build on the download page, without previews: version → name."""
    page = f"{_site()}/download/{build.partition('-')[0]}/"
    say(f"reading {page}")
    text = download.page(page)
    hits = re.findall(r"/resources/firmware/([\w.-]+)", text)
    matches = [_name_of(build).fullmatch(name) for name in hits]
    listed = {_numbers(match[1]): match[0] for match in matches if match}
    if not listed:
        raise ToolError(f"{page} lists no {build}", "--firmware FILE, downloaded by hand")
    return listed


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _kept(path: Path) -> bytes | None:
    """Return a cached file's bytes, None if there is none or it is not as it was kept."""
    try:
        data = path.read_bytes()
        noted = _note(path).read_text().split()[:1]
    except OSError:
        return None
    if noted == [hashlib.sha256(data).hexdigest()]:
        return data
    say(f"{path} is not as it was downloaded, and is downloaded again")
    return None


def _keep(part: Path, path: Path, data: bytes) -> None:
    # The file comes last, so that it is never there without its sum. `sha256sum -c` reads it.
    try:
        _note(path).write_text(f"{hashlib.sha256(data).hexdigest()}  {path.name}\n")
        part.replace(path)
    except OSError as error:
        raise _cannot_keep(path.parent, error) from error


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _check_pinned(name: str, data: bytes) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != _PINNED.get(name, found):
        raise ToolError(
            f"{name} has SHA-256 {found}, not {_PINNED[name]} as known: it was changed on its way",
            "another network; or --firmware FILE, if you trust it",
        )


def _cannot_keep(folder: Path, error: OSError) -> ToolError:
    return ToolError(
        f"cannot keep firmware in {folder}: {error.strerror}",
        f"make room, or another folder in {CACHE_VARIABLE}; or --firmware FILE",
    )
