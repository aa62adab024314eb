"""Start, find and stop the local IoT Core: MiniStack with AWS's rules, as a process of its own.

One per state folder. It has its own session, so it outlives the shell that started it; it holds a
lock, so it is never mistaken for another process; it writes its state as it changes, so killing it
loses at most a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from host_tools import paths
from host_tools.cloud import info, settings, sockets
from host_tools.cloud.info import CloudInfo
from host_tools.errors import ToolError

DEFAULT_HTTP_PORT, DEFAULT_MQTT_PORT = 4566, 8883
_START_S, _STOP_S, _LOG_LIMIT = 30.0, 10.0, 2_000_000
_POLL_S = 0.02
_LOG_HEAD = "\n=== start of the local IoT Core "
_Found = TypeVar("_Found")
_lifelines: list[int] = []  # write ends, open as long as this process lives
_children: dict[int, subprocess.Popen[bytes]] = {}  # by process id, those we have to wait for


def start(
    *,
    http_port: int | None = None,
    mqtt_port: int | None = None,
    region: str = "us-east-1",
    bound: bool = False,
    minute_s: float | None = None,
    keepalive_min_s: float | None = None,
) -> CloudInfo:
    """Start the local IoT Core, if it does not run, and return it once HTTP and MQTT both listen.

    Without ports: those of the last start if free, else 4566 and 8883 if free, else any. A running
    one is returned as it is, whatever its ports. `bound`: it ends when this process does.
    `minute_s` and `keepalive_min_s` see `settings.Settings`; by default
    JOBS_SANDBOX_CLOUD_MINUTE_S and JOBS_SANDBOX_CLOUD_KEEPALIVE_MIN_S, or 60 and 30 as on AWS.
    Raises ToolError, with the last lines of the log if the server ended.
    """
    folder = paths.cloud_dir()
    lock = _lock_or_running(folder)
    if isinstance(lock, CloudInfo):
        return lock
    try:
        info.remove(folder)  # left by a server that was killed
        last = _last_ports(folder)
        with (
            sockets.listen(http_port, [*last[:1], DEFAULT_HTTP_PORT], "HTTP") as http,
            sockets.listen(mqtt_port, [*last[1:], DEFAULT_MQTT_PORT], "MQTT") as mqtt,
        ):
            wanted = settings.Settings(
                folder=folder,
                http_port=http.getsockname()[1],
                mqtt_port=mqtt.getsockname()[1],
                http_fd=http.fileno(),
                mqtt_fd=mqtt.fileno(),
                lock_fd=lock,
                region=region,
                minute_s=minute_s or settings.tunable("MINUTE_S", 60),
                keepalive_min_s=keepalive_min_s or settings.tunable("KEEPALIVE_MIN_S", 30),
            )
            child = _spawn(wanted, bound)
    finally:
        os.close(lock)
    return _wait_until_ready(child, folder)


def stop() -> bool:
    """Stop the local IoT Core in order, wait for its end, and say whether it ran.

    One that does not end within 10 s is killed; it has saved its state long before.
    """
    folder = paths.cloud_dir()
    found = info.is_locked(folder)
    deadline = time.monotonic() + _START_S
    while info.is_locked(folder):  # there may be a start or another stop under way
        if (running := info.running(folder)) is not None:
            _end(running, folder)
        elif time.monotonic() > deadline:
            raise ToolError(
                "another process starts or stops the local IoT Core, and does not come to an end",
                "`jobs-sandbox cloud log`",
            )
        time.sleep(_POLL_S)
    info.remove(folder)
    return found


def _end(running: CloudInfo, folder: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)
        if _poll(lambda: not info.is_locked(folder), _STOP_S):
            _reap(running.pid)
            return
    raise ToolError(
        f"process {running.pid} of the local IoT Core does not end", f"`kill -9 {running.pid}`"
    )


def status() -> CloudInfo | None:
    """Return the local IoT Core if it runs and is ready, else None."""
    folder = paths.cloud_dir()
    return info.running(folder)


def log_file() -> Path:
    """Return the path of the server's log, which may not exist yet."""
    return paths.cloud_dir() / "cloud.log"


def damaged_files(since: float = 0.0) -> list[Path]:
    """Return the state files set aside as unreadable since a time in Unix seconds."""
    files = (paths.cloud_dir() / "data").glob("*.damaged-*")
    return sorted(file for file in files if file.stat().st_ctime >= since)


def _lock_or_running(folder: Path) -> int | CloudInfo:
    # Either the lock is free, and we must start it, or it is or will soon be running.
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if (lock := info.take_lock(folder)) is not None:
            return lock
        if (running := info.running(folder)) is not None:
            return running
        time.sleep(_POLL_S)
    raise ToolError(
        "the local IoT Core is being started by another process, but does not become ready",
        "`jobs-sandbox cloud log`",
    )


def _spawn(wanted: settings.Settings, bound: bool) -> subprocess.Popen[bytes]:
    for private in (wanted.data, wanted.data / "tmp"):
        private.mkdir(mode=0o700, exist_ok=True)
    handed = [wanted.http_fd, wanted.mqtt_fd, wanted.lock_fd]
    environment = wanted.environment()
    if bound:
        reading, writing = os.pipe()
        _lifelines.append(writing)
        handed.append(reading)
        environment["JOBS_SANDBOX_CLOUD_LIFELINE"] = str(reading)
    try:
        with _open_log() as log:
            return subprocess.Popen(
                [sys.executable, "-m", "host_tools.cloud.server"],
                cwd=paths.ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=handed,
                start_new_session=True,  # neither Ctrl-C nor the end of the terminal reaches it
            )
    finally:
        if bound:
            os.close(reading)


@contextlib.contextmanager
def _open_log() -> Iterator[int]:
    log = log_file()
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_name("cloud.log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{_LOG_HEAD}{time.strftime('%Y-%m-%d %H:%M:%S')}\n".encode())
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wait_until_ready(child: subprocess.Popen[bytes], folder: Path) -> CloudInfo:
    def ready() -> CloudInfo | int | None:
        known = info.read(folder)
        return known if known is not None and known.pid == child.pid else child.poll()

    try:
        found = _poll(ready, _START_S)
    except BaseException:  # Ctrl-C while waiting: leave nothing half started behind
        child.kill()
        child.wait()
        raise
    if isinstance(found, CloudInfo):
        _remember_ports(folder, found)
        _children[child.pid] = child
        return found
    child.kill()
    status_text = "was not ready in time" if found is None else f"ended with status {child.wait()}"
    raise ToolError(
        f"the local IoT Core {status_text}; its last words:\n{_last_words()}",
        "`jobs-sandbox cloud log`",
    )


def _last_words(lines: int = 8) -> str:
    try:
        text = log_file().read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "  (no log)"
    words = text.rpartition(_LOG_HEAD)[2].splitlines()[1:]
    return "\n".join("  " + line for line in words[-lines:]) or "  (none)"


def _last_ports(folder: Path) -> list[int]:
    # Boards and things know the ports of the last start, so they are worth keeping.
    try:
        known = json.loads((folder / "ports.json").read_text(encoding="utf-8"))
        return [int(known["http"]), int(known["mqtt"])]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _remember_ports(folder: Path, known: CloudInfo) -> None:
    ports = {"http": int(known.endpoint_url.rpartition(":")[2]), "mqtt": known.mqtt_port}
    info.write_private(folder / "ports.json", json.dumps(ports))


def _reap(pid: int) -> None:
    # If it was our own child, no zombie is left; if not, there is nothing to do.
    if (child := _children.pop(pid, None)) is not None:
        child.wait()


def _poll(attempt: Callable[[], _Found | None], limit_s: float) -> _Found | None:
    # The first true answer, or the last one when the time is up.
    deadline = time.monotonic() + limit_s
    while True:
        found = attempt()
        if (found is not None and found is not False) or time.monotonic() > deadline:
            return found
        time.sleep(_POLL_S)
