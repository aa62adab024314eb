"""Getting firmware: files, the cache, a download page like micropython.org's."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from host_tools.errors import ToolError, UsageError
from host_tools.flash import firmware

BUILD = "ESP32_GENERIC_C3"
NAME = f"{BUILD}-20260406-v1.28.0.bin"
FILES = "/resources/firmware/"
DATA = bytes(range(256)) * 1000


class Site(ThreadingHTTPServer):
    """Serves `pages`: path → bytes; `short` paths break off half-way. `asked` are the paths."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes] = {}
        self.short: set[str] = set()
        self.asked: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: clients that refuse what is sent hang up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.pages.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2 if self.path in self.server.short else len(content)
        self.wfile.write(content[:half])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv(firmware.URL_VARIABLE, server.url + "/")
    monkeypatch.setenv(firmware.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "firmware"


def accept(name: str, data: bytes) -> None:
    """Take any image for good."""


def obtain(version: str = "1.28.0", build: str = BUILD, **more: bool) -> firmware.Firmware:
    return firmware.obtain(build, version, accept, lambda what, done, total: None, **more)


def refusal(call: Callable[[], object]) -> ToolError:
    with pytest.raises(ToolError) as caught:
        call()
    assert caught.value.hint
    return caught.value


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_the_default_version_is_got_by_its_name_and_kept_with_its_sha256(site, cache):
    site.pages[FILES + NAME] = DATA
    got = obtain()
    assert got.data == DATA and got.name == NAME and got.origin == str(cache / NAME)
    assert got.sha256 == hashlib.sha256(DATA).hexdigest()
    assert left(cache) == {NAME, NAME + ".sha256"}
    assert (cache / (NAME + ".sha256")).read_text() == f"{got.sha256}  {NAME}\n"
    assert site.asked == [FILES + NAME]


def test_what_is_in_the_cache_is_not_downloaded_again(site):
    site.pages[FILES + NAME] = DATA
    first = obtain()
    assert obtain() == first and len(site.asked) == 1


def test_what_changed_in_the_cache_is_downloaded_again(site, cache, capsys):
    site.pages[FILES + NAME] = DATA
    obtain()
    (cache / NAME).write_bytes(DATA[:-1])
    assert obtain().data == DATA and len(site.asked) == 2
    assert "not as it was downloaded" in capsys.readouterr().err
    assert (cache / NAME).read_bytes() == DATA


def test_a_file_without_its_sum_is_not_trusted(site, cache):
    site.pages[FILES + NAME] = DATA
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(b"half a download of another program")
    assert obtain().data == DATA


def test_progress_is_told(site):
    site.pages[FILES + NAME] = DATA
    seen: list[tuple[str, int, int]] = []
    firmware.obtain(BUILD, "1.28.0", accept, lambda *step: seen.append(step))
    assert seen[-1] == ("downloading", len(DATA), len(DATA)) and len(seen) > 1


def page(*names: str) -> bytes:
    links = "".join(f'<a href="{FILES}{name}">{name}</a>\n' for name in names)
    return f"<html><h2>Releases</h2>{links}</html>".encode()


def test_the_newest_release_is_the_one_with_the_highest_number(site):
    newest = f"{BUILD}-20271231-v1.30.0.bin"
    site.pages[f"/download/{BUILD}/"] = page(
        f"{BUILD}-20220117-v1.9.4.bin",
        NAME,
        newest,
        f"{BUILD}-20280101-v1.31.0-preview.7.g1234567890.bin",
        f"{BUILD}-OTHER-20280101-v1.99.0.bin",
        f"{BUILD}-20280101-v1.98.0.app-bin",
        f"{BUILD}-20280101-v1.97.0.uf2",
    )
    site.pages[FILES + newest] = DATA
    assert obtain(firmware.NEWEST).name == newest


def test_a_variant_is_listed_on_the_page_of_its_board(site):
    name = "ESP32_GENERIC-SPIRAM-20260824-v1.29.0.bin"
    site.pages["/download/ESP32_GENERIC/"] = page("ESP32_GENERIC-20260824-v1.29.0.bin", name)
    site.pages[FILES + name] = DATA
    assert obtain("1.29.0", "ESP32_GENERIC-SPIRAM").name == name


def test_a_version_that_is_in_the_cache_needs_no_network(site):
    name = f"{BUILD}-20251209-v1.27.0.bin"
    site.pages[f"/download/{BUILD}/"] = page(name)
    site.pages[FILES + name] = DATA
    obtain("1.27.0")
    site.pages.clear()
    site.asked.clear()
    assert obtain("1.27.0").data == DATA and site.asked == []


def test_a_version_that_there_is_not(site):
    site.pages[f"/download/{BUILD}/"] = page(f"{BUILD}-20251209-v1.27.0.bin", NAME)
    error = refusal(lambda: obtain("1.55.5"))
    assert "no ESP32_GENERIC_C3 v1.55.5" in error.message and "1.27.0, 1.28.0" in error.hint


def test_a_page_without_the_build(site):
    site.pages[f"/download/{BUILD}/"] = page("ESP32_GENERIC-20251209-v1.27.0.bin")
    assert "lists no ESP32_GENERIC_C3" in refusal(lambda: obtain(firmware.NEWEST)).message


@pytest.mark.parametrize("version", ["1.2.3.4", "v1.28.0", "../1", "", "latest"])
def test_what_is_no_version(site, version):
    with pytest.raises(UsageError, match="is no version"):
        obtain(version)


def test_a_download_that_breaks_off_leaves_nothing(site, cache):
    site.pages[FILES + NAME] = DATA
    site.short.add(FILES + NAME)
    message = refusal(obtain).message
    assert "broke off" in message and f"{len(DATA) // 2} of {len(DATA)} bytes" in message
    assert left(cache) == set()


def test_a_download_that_is_no_firmware_is_not_kept(site, cache):
    site.pages[FILES + NAME] = b"<html>please log in to the hotel's network</html>"

    def check(name: str, data: bytes) -> None:
        raise ToolError(f"{name} is a web page", "…")

    error = refusal(lambda: firmware.obtain(BUILD, "1.28.0", check, lambda *step: None))
    assert "is a web page" in error.message and left(cache) == set()


def test_a_file_with_a_known_sum_must_have_it(site, cache):
    name = "ESP32_GENERIC-20260406-v1.28.0.bin"
    site.pages[FILES + name] = DATA
    message = refusal(lambda: obtain(build="ESP32_GENERIC")).message
    assert "changed on its way" in message and "cd7820d0" in message and left(cache) == set()


def test_an_address_that_leads_to_an_insecure_one(site, cache, monkeypatch):
    monkeypatch.setenv(firmware.URL_VARIABLE, "https://micropython.org")
    answer = contextlib.nullcontext(SimpleNamespace(url="http://evil.example/x.bin"))
    monkeypatch.setattr("urllib.request.urlopen", lambda *given, **more: answer)
    assert "leads to http://evil.example/x.bin, which is not secure" in refusal(obtain).message
    assert left(cache) == set()


def test_a_file_that_is_not_on_the_site(site, cache):
    assert f"{NAME}: 404" in refusal(obtain).message and left(cache) == set()


def test_a_file_that_is_too_large(site, cache):
    site.pages[FILES + NAME] = bytes((16 << 20) + 1)
    assert "larger than 16 MB" in refusal(obtain).message and left(cache) == set()


def test_nothing_listens(site, cache, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    monkeypatch.setenv(firmware.URL_VARIABLE, f"http://127.0.0.1:{port}")
    error = refusal(obtain)
    assert "cannot be reached: Connection refused" in error.message and "--firmware" in error.hint
    assert left(cache) == set()


def test_an_answer_that_is_no_http(cache, monkeypatch, tmp_path):
    monkeypatch.setenv(firmware.CACHE_VARIABLE, str(tmp_path / "cache"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv(firmware.URL_VARIABLE, f"http://127.0.0.1:{server.getsockname()[1]}")

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert "broke off" in refusal(obtain).message
        thread.join()


@pytest.mark.parametrize("url", ["file:///etc", "ftp://x", "micropython.org", ""])
def test_an_address_that_is_none(site, monkeypatch, url):
    monkeypatch.setenv(firmware.URL_VARIABLE, url)
    assert "no address" in refusal(obtain).message and site.asked == []


def test_no_space_for_the_download(site, cache):
    site.pages[FILES + NAME] = DATA
    cache.mkdir(parents=True)
    (cache / (NAME + ".part")).symlink_to("/dev/full")
    error = refusal(obtain)
    assert "No space left on device" in error.message and firmware.CACHE_VARIABLE in error.hint
    assert left(cache) == set()


def test_no_space_for_the_sum(site, cache):
    site.pages[FILES + NAME] = DATA
    cache.mkdir(parents=True)
    (cache / (NAME + ".sha256")).symlink_to("/dev/full")
    assert "No space left on device" in refusal(obtain).message
    assert left(cache) == {NAME + ".sha256"}  # and so no file that would be taken for whole


def test_a_cache_folder_that_cannot_be(site, tmp_path):
    (tmp_path / "cache").write_text("a file")
    error = refusal(obtain)
    assert "cannot keep firmware" in error.message and site.asked == []


def test_a_dry_run_downloads_nothing(site):
    found = obtain(may_download=False)
    assert found.data is None and found.sha256 is None and found.origin == site.url + FILES + NAME
    assert site.asked == []


def test_two_at_once_download_once(site):
    site.pages[FILES + NAME] = DATA
    got: list[firmware.Firmware] = []
    threads = [threading.Thread(target=lambda: got.append(obtain())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.data for each in got] == [DATA] * 3 and len(site.asked) == 1


def test_the_cache_folder_is_the_system_s(monkeypatch, tmp_path):
    monkeypatch.delenv(firmware.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert firmware._cache() == tmp_path / "jobs-sandbox"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert firmware._cache() == tmp_path / ".cache" / "jobs-sandbox"
    monkeypatch.setattr("sys.platform", "darwin")
    assert firmware._cache() == tmp_path / "Library" / "Caches" / "jobs-sandbox"


def test_a_file_given(tmp_path):
    path = tmp_path / "my.bin"
    path.write_bytes(DATA)
    got = firmware.from_file(path)
    assert (got.data, got.name, got.origin) == (DATA, "my.bin", str(path))


def test_a_file_given_that_cannot_be_read_or_is_no_firmware(tmp_path):
    missing = refusal(lambda: firmware.from_file(tmp_path / "no.bin"))
    assert "No such file" in missing.message
    assert "Is a directory" in refusal(lambda: firmware.from_file(tmp_path)).message
    assert "larger than 16 MB" in refusal(lambda: firmware.from_file(Path("/dev/zero"))).message
