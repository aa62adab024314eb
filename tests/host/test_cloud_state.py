"""What the local IoT Core keeps: over a stop, over kill -9, and when a file is damaged."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tools import paths
from host_tools.cloud import local
from host_tools.cloud.info import CloudInfo
from tests.cloud_fixture import Registry
from tests.mqtt_wire import Device

_LOSS_S, _QUIET_S = 2.5, 1.0  # a second, and nothing, on an idle machine


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own; whatever runs from it is stopped."""
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    yield paths.cloud_dir()
    local.stop()


def _start() -> CloudInfo:
    running = local.status()
    return running or local.start(http_port=0, mqtt_port=0, bound=True)


def _kill(running: CloudInfo) -> None:
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)


def _restarted(kill: Callable[[CloudInfo], object], tmp_path: Path) -> tuple[Registry, Device]:
    """Make a thing, a job in progress, end the server in some way, start it again."""
    first = Registry(_start(), tmp_path)
    device = first.device("kept")
    first.job("job", "kept")
    with device.connected() as wire:
        assert wire.subscribe("$aws/things/kept/jobs/start-next/+") == [1]
        assert wire.ask("kept", "start-next", {})["execution"]["versionNumber"] == 2
    if kill is _kill:
        time.sleep(_LOSS_S)  # at most this much is lost
    ca = Path(first.running.ca).read_bytes()
    kill(first.running)
    again = local.start(bound=True)
    assert Path(again.ca).read_bytes() == ca
    return Registry(again, tmp_path), device


@pytest.mark.parametrize("end", [_kill, lambda _: local.stop()], ids=["kill -9", "stop"])
def test_things_and_jobs_survive(
    folder: Path, tmp_path: Path, end: Callable[[CloudInfo], object]
) -> None:
    registry, device = _restarted(end, tmp_path)
    execution = registry.iot.describe_job_execution(jobId="job", thingName="kept")["execution"]
    assert (execution["status"], execution["versionNumber"]) == ("IN_PROGRESS", 2)
    with device.connected() as wire:  # same CA, certificate, policy and port
        assert wire.alive()


def test_state_is_for_its_owner_only(folder: Path, tmp_path: Path) -> None:
    registry = Registry(_start(), tmp_path)
    with registry.device("x").connected() as wire:
        assert wire.alive()
    assert list((folder / "data" / "tmp").iterdir()) == []  # the server key passed through here
    local.stop()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"iot.json", "cloud.log", "ca.pem"} <= {path.name for path in files}
    assert "PRIVATE KEY" in (folder / "data" / "iot.json").read_text()
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert [
        path for path in folder.rglob("*") if path.is_dir() and path.stat().st_mode & 0o077
    ] == []


def test_nothing_is_written_while_nothing_changes(folder: Path, tmp_path: Path) -> None:
    registry = Registry(_start(), tmp_path)
    with registry.device("x").connected() as wire:
        time.sleep(_QUIET_S)
        before = _written(folder)
        registry.iot.list_things()
        assert wire.alive()
        time.sleep(_QUIET_S)
        assert _written(folder) == before
        registry.iot.create_thing(thingName="y")
        deadline = time.monotonic() + _LOSS_S
        while _written(folder) == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_damaged_file_is_set_aside_and_never_overwritten(folder: Path, tmp_path: Path) -> None:
    Registry(_start(), tmp_path).device("lost")
    local.stop()
    state = folder / "data" / "iot.json"
    half = state.read_bytes()[: state.stat().st_size // 2]
    state.write_bytes(half)
    registry = Registry(_start(), tmp_path)
    assert registry.iot.list_things()["things"] == []
    assert "iot.json is damaged" in local.log_file().read_text()
    registry.device("new")
    local.stop()
    assert [file.read_bytes() for file in local.damaged_files()] == [half]
    assert '"new"' in state.read_text()


@pytest.mark.parametrize(
    "damage",
    [b"", b"[]", b'{"payload": {}}'],
)
def test_whatever_cannot_be_state_is_set_aside(folder: Path, damage: bytes) -> None:
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "iot.json").write_bytes(damage)
    _start()
    assert [file.read_bytes() for file in local.damaged_files()] == [damage]


def test_state_of_a_newer_ministack_is_set_aside(folder: Path) -> None:
    (folder / "data").mkdir(mode=0o700)
    newer = json.dumps({"__ministack_format__": 99, "payload": {}})
    (folder / "data" / "iot.json").write_text(newer)
    _start()
    assert [file.read_text() for file in local.damaged_files()] == [newer]


def _written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "data").glob("*.json")}
