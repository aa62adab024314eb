"""Starting, finding and stopping the local IoT Core, whatever else happens on the machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tools import paths
from host_tools.cloud import info, local
from host_tools.cloud.info import CloudInfo
from host_tools.errors import ToolError

_RUN = [sys.executable, "-m", "host_tools"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own; whatever runs from it is stopped."""
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path / "home of a test"))
    yield paths.cloud_dir()
    local.stop()


def _start() -> CloudInfo:
    return local.start(http_port=0, mqtt_port=0, bound=True)


def _answers(running: CloudInfo) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{running.endpoint_url}/_ministack/ready", timeout=30) as answer:
            ready = json.load(answer)["iot_mtls"] == "listening"
        socket.create_connection(("127.0.0.1", running.mqtt_port), timeout=30).close()
        return bool(ready)
    except OSError:
        return False


def _until(condition: Callable[[], bool], limit_s: float = 60) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_start_returns_when_http_and_mqtt_both_listen(folder: Path) -> None:
    running = _start()
    assert _answers(running)
    assert running == local.status() == info.read(folder)
    assert running.mqtt_host == "localhost"
    assert Path(running.ca).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert Path(running.state_dir) == folder / "data"


def test_a_second_start_returns_the_running_one(folder: Path) -> None:
    assert _start() == local.start(http_port=1, mqtt_port=1)


def test_stop_waits_for_the_end_and_frees_the_ports(folder: Path) -> None:
    running = _start()
    assert local.stop()
    assert not _is_alive(running.pid)
    assert not _answers(running)
    assert local.status() is None
    assert not local.stop()


def test_stop_does_not_wait_for_a_client_that_stays_connected(folder: Path) -> None:
    running = _start()
    port = int(running.endpoint_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        assert local.stop()
        assert time.monotonic() - began < 5


def test_the_next_start_takes_the_same_ports(folder: Path) -> None:
    first = _start()
    local.stop()
    second = local.start(bound=True)
    assert (second.endpoint_url, second.mqtt_port) == (first.endpoint_url, first.mqtt_port)


def test_taken_ports_are_replaced_by_free_ones(folder: Path) -> None:
    with _listener() as http, _listener() as mqtt:
        taken = {"http": http.getsockname()[1], "mqtt": mqtt.getsockname()[1]}
        (folder / "ports.json").write_text(json.dumps(taken))
        running = local.start(bound=True)
        assert running.mqtt_port != taken["mqtt"]
        assert running.endpoint_url != f"http://127.0.0.1:{taken['http']}"
        assert _answers(running)


def test_a_wanted_port_that_is_taken_is_an_error(folder: Path) -> None:
    with _listener() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ToolError, match=f"port {port} for MQTT is taken"):
            local.start(http_port=0, mqtt_port=port)
    assert local.status() is None


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_an_error(folder: Path, port: int) -> None:
    with pytest.raises(ToolError, match=f"port {port} for HTTP"):
        local.start(http_port=port)


def test_a_killed_server_is_noticed_and_replaced(folder: Path) -> None:
    first = _start()
    os.kill(first.pid, signal.SIGKILL)
    assert _until(lambda: local.status() is None)
    assert info.read(folder) is not None  # the stale file
    second = _start()
    assert second.pid != first.pid
    assert _answers(second)


def test_a_stale_file_that_names_another_process_is_not_believed(folder: Path) -> None:
    known = CloudInfo(
        "http://127.0.0.1:1", "localhost", 2, "ca", "us-east-1", "0", os.getpid(), "d"
    )
    info.write(folder, known)
    assert local.status() is None
    assert not local.stop()  # and certainly does not signal us
    info.write(folder, known)
    assert _start().pid != os.getpid()


def test_a_damaged_file_is_not_believed(folder: Path) -> None:
    (folder / "running.json").write_text("{")
    assert local.status() is None
    assert _start() == local.status()


def test_starts_at_the_same_time_make_one_server(folder: Path) -> None:
    found: list[CloudInfo] = []
    threads = [threading.Thread(target=lambda: found.append(_start())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_server_that_dies_at_start_is_an_error_with_its_last_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os\nprint('the cause', flush=True)\nos._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"(?s)ended with status 7; its last words:.*the cause"):
        _start()
    assert local.status() is None


def test_a_missing_seam_ends_the_start_and_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if any('host_tools.cloud.server' in word for word in sys.orig_argv):\n"
        "    import ministack.services.iot as iot\n"
        "    del iot._mtls_build_ssl_context\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words = (
        r"rule 'client certificate required' cannot be applied: "
        r"ministack.services.iot._mtls_build_ssl_context does not exist in ministack 1.5.33"
    )
    with pytest.raises(ToolError, match=f"(?s)ended with status 1.*{words}"):
        _start()


def test_the_server_outlives_the_shell_that_started_it(folder: Path) -> None:
    command = f"'{sys.executable}' -m host_tools cloud start --http-port 0 --mqtt-port 0; read x"
    shell = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=paths.ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert _until(lambda: local.status() is not None)
    running = local.status()
    assert running is not None
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, number)
    shell.wait()
    if shell.stdin:
        shell.stdin.close()
    assert _answers(running)


def test_a_bound_server_ends_with_the_process_that_started_it(folder: Path) -> None:
    code = (
        "from host_tools.cloud import local\n"
        "print(local.start(http_port=0, mqtt_port=0, bound=True).pid, flush=True)\n"
        "input()\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=paths.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert _is_alive(pid)
        starter.kill()
    assert _until(lambda: not info.is_locked(folder))  # it has ended
    assert local.status() is None


def test_in_the_foreground_it_shows_the_log_and_stops_with_ctrl_c(folder: Path) -> None:
    process = subprocess.Popen(
        [*_RUN, "cloud", "start", "--foreground", "--http-port", "0", "--mqtt-port", "0"],
        cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert "The local IoT Core is running" in process.stdout.readline()
    while not process.stdout.readline().startswith("Next"):
        pass
    assert local.status() is not None
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.endswith("stopped\n")
    assert local.status() is None


def test_in_the_foreground_it_shows_the_log(folder: Path) -> None:
    process = subprocess.Popen(
        [*_RUN, "cloud", "start", "--foreground", "--http-port", "0", "--mqtt-port", "0"],
        cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    while not process.stdout.readline().startswith("Next"):
        pass
    os.kill(getattr(local.status(), "pid", 0), signal.SIGTERM)  # somebody else stops it
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "MiniStack shutting down" in output
    assert output.endswith("the local IoT Core has ended\n")


def test_ctrl_c_while_waiting_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "_poll", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _start()
    assert _until(lambda: not info.is_locked(folder))


@contextlib.contextmanager
def _listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening
