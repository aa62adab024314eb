"""Fetches umqtt.simple 1.3.4, the MQTT client that boards without a frozen one get.

The package is an old source archive that pip cannot install, so it is looked up by name in pip's
own index (mirrors included), checked against a pinned SHA-256, and its one module is read out of
the archive: nothing of the archive's paths, links or modes is used.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    DistributionPackage,
    NoSuchProjectError,
    PyPISimple,
)
from requests.exceptions import RequestException

from host_tools.errors import ToolError
from host_tools.output import say

VERSION = "1.3.4"
_PROJECT = "micropython-umqtt.simple"
_ARCHIVE = f"{_PROJECT}-{VERSION}.tar.gz"
_SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"
_MEMBER = f"{_PROJECT}-{VERSION}/umqtt/simple.py"
_LARGEST = 100_000  # bytes; the archive has 3 KB, the module 6 KB
_TIMEOUT_S = 30


def fetch(folder: Path) -> Path:
    """Fetch the module into `folder`/umqtt/simple.py, unless it is there, and return its path."""
    target = folder / "umqtt" / "simple.py"
    if not target.is_file():
        source = extract(_download())
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(".new")
        temporary.write_bytes(source)
        temporary.replace(target)
        say(f"setup: {_PROJECT} {VERSION} fetched, SHA-256 as pinned")
    return target


def extract(archive: bytes) -> bytes:
    """Return umqtt/simple.py out of the archive; ToolError unless it is the pinned archive."""
    found = hashlib.sha256(archive).hexdigest()
    if found != _SHA256:
        raise ToolError(
            f"{_ARCHIVE} has SHA-256 {found}, not the pinned {_SHA256}: it was changed on its way",
            "another network or package index (pip config list), then `make setup`",
        )
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile(_MEMBER)
        if member is None:
            raise ToolError(f"{_ARCHIVE} holds no file {_MEMBER}")
        return member.read(_LARGEST)


def _download() -> bytes:
    failures = []
    settings = pip_settings()
    for index in index_urls(settings):
        try:
            return _download_from(index, settings.get("cert"))
        except (RequestException, NoSuchProjectError, ValueError, LookupError) as error:
            failures.append(f"{_without_password(index)}: {_short(error)}")
    raise ToolError(
        f"could not fetch {_PROJECT} {VERSION}: " + "; ".join(failures),
        "check the network and pip's index (pip config list), then `make setup`",
    )


def _download_from(index: str, certificates: str | None) -> bytes:
    with PyPISimple(index) as client:
        if certificates:
            client.s.verify = certificates
        page = client.get_project_page(_PROJECT, timeout=_TIMEOUT_S)
        package = _pick(page.packages)
        answer = client.s.get(package.url, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return bytes(answer.content[:_LARGEST])


def _pick(packages: list[DistributionPackage]) -> DistributionPackage:
    for package in packages:
        if package.filename == _ARCHIVE:
            return package
    raise LookupError(f"the index has no {_ARCHIVE}")


def index_urls(settings: dict[str, str]) -> Iterator[str]:
    """Yield the package indexes that pip would ask, main one first, without file: indexes."""
    urls = [
        settings.get("index-url", PYPI_SIMPLE_ENDPOINT),
        *settings.get("extra-index-url", "").split(),
    ]
    for url in urls:
        if url.startswith(("http://", "https://")):
            yield url


def pip_settings() -> dict[str, str]:
    """Return pip's effective options, e.g. {"index-url": …}; the environment wins, as in pip."""
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return parse_pip_settings(answer.stdout)


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Read `pip config list`: lines like global.index-url='…', install.…, :env:.index-url='…'."""
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        pattern = rf"^{re.escape(section)}\.([\w-]+)='(.*)'$"
        found.update(re.findall(pattern, listing, re.MULTILINE))
    return found


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _short(error: Exception) -> str:
    # why: requests puts whole URLs, passwords included, into its messages
    return re.sub(r"//[^/@\s]*@", "//", str(error))[:300]
