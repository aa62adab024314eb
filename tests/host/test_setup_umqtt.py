"""umqtt.simple's archive: fetched by name from pip's index, used only if it is the pinned one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from host_tools import paths, umqtt_source
from host_tools.errors import ToolError

ARCHIVE = "micropython-umqtt.simple-1.3.4.tar.gz"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on loopback that pip's settings point to; yields the project's folder."""
    folder = tmp_path / "simple" / "micropython-umqtt-simple"
    folder.mkdir(parents=True)
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://user:secret@127.0.0.1:{server.server_port}/simple/"
        monkeypatch.setenv("PIP_INDEX_URL", url)
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///nowhere/simple")
        yield folder
        server.shutdown()


def test_module_that_setup_fetched_is_the_published_one() -> None:
    content = (paths.UMQTT / "umqtt" / "simple.py").read_bytes()
    assert hashlib.sha256(content).hexdigest() == (
        "8555d2f654deb8eb0d724f79b0811a78cc94029d070f3d96bbd74288653d63a5"
    )


def test_changed_archive_is_refused(index: Path, tmp_path: Path) -> None:
    (index / "index.html").write_text(f'<a href="{ARCHIVE}">{ARCHIVE}</a>')
    (index / ARCHIVE).write_bytes(b"not what was published")
    with pytest.raises(ToolError, match="not the pinned b6a25202"):
        umqtt_source.fetch(tmp_path / "umqtt")
    assert not (tmp_path / "umqtt").exists()


@pytest.mark.parametrize("page", ["", '<a href="other-1.0.tar.gz">other-1.0.tar.gz</a>'])
def test_index_without_the_archive_is_named_without_its_password(
    page: str, index: Path, tmp_path: Path
) -> None:
    (index / "index.html").write_text(page)
    with pytest.raises(ToolError, match=f"the index has no {ARCHIVE}") as caught:
        umqtt_source.fetch(tmp_path / "umqtt")
    assert "http://127.0.0.1:" in caught.value.message
    assert "secret" not in caught.value.message
    assert "file:" not in caught.value.message


def test_unreachable_index_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple/")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    with pytest.raises(ToolError, match="could not fetch micropython-umqtt") as caught:
        umqtt_source.fetch(tmp_path / "umqtt")
    assert "secret" not in caught.value.message
    assert "make setup" in caught.value.hint


def test_pip_settings_environment_wins() -> None:
    listing = (
        ":env:.index-url='https://mirror/simple'\n"
        "global.extra-index-url='https://a/simple https://b/simple file:///c'\n"
        "global.index-url='https://pypi/simple'\n"
    )
    settings = umqtt_source.parse_pip_settings(listing)
    assert list(umqtt_source.index_urls(settings)) == [
        "https://mirror/simple",
        "https://a/simple",
        "https://b/simple",
    ]
    assert list(umqtt_source.index_urls({})) == [PYPI_SIMPLE_ENDPOINT]
