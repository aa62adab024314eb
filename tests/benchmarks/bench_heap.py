"""The heap in use: at rest, and at most during what the board does."""

from __future__ import annotations

import json
import os
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from host_tools import interpreter
from tests.benchmarks import record
from tests.benchmarks.figures import number, verdict
from tests.benchmarks.interpreters import VARIABLE_32, how_measured, words
from tests.benchmarks.table import Table
from tests.benchmarks.trace import Trace
from tests.device_fixture import Device
from tests.firmware import budgets
from tests.https_server import HttpsServer

# ALL_OF_IT have all the heap, the others are to leave some of it
AT_REST = "after connect, without garbage"
DOWNLOAD = "at most during a download, its URL of 2 KB"
LARGEST = "at most during a job of 28 KB"
HTTPS = "at most during a download by https, the console open"
ALL_OF_IT = (DOWNLOAD, LARGEST, HTTPS)
_LED_ON = {"operation": "gpio", "pin": "led", "action": "on"}
_LARGE, _LARGEST = 8_000, 28_000
_STEPS = 20
_LONGEST_URL = 2_048
_REST_S = 1.2  # a glance of the link is a second
_COMMANDS = ("status", "help", "jobs", "pins", "log", "get-pending-job-executions")


@dataclass(frozen=True)
class Heap:
    """Bytes of a board, by what was done; what became of jobs that failed; the modules loaded for
    a GPIO job; how many names a board keeps after all of it.
    """

    in_use: dict[str, int]
    failed: dict[str, str]
    loaded: list[str]
    names: int


def bench_heap(
    make_device: Callable[..., Device], table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measure(make_device)
    true = _in_32_bit(make_device, monkeypatch)
    for name, heap in found.in_use.items():
        guess = record.heap_ratio_32(name)
        if true:
            most, how = true.in_use[name], "in a 32-bit MicroPython"
        elif guess and words() > 1:
            most, how = int(heap * guess), f"estimated for 32 bit: {guess:.2f} times, as measured"
        else:
            most, how = heap, how_measured()
        aim = budgets.HEAP if name in ALL_OF_IT else budgets.PEAK_TARGET
        failed = [heap.failed[name] for heap in (found, true) if heap and name in heap.failed]
        table.add(
            f"heap in use {name}",
            f"{number(heap / 1024)} KB of a board's {budgets.HEAP // 1024}, {how_measured()}",
            beside=f"{number(most / 1024)} KB, {how}" if most != heap else "",
            target="reported"
            if name == AT_REST
            else "\n".join(
                [f"{verdict(most, aim)}, {how.partition(':')[0]}"]
                + [f"missed: the job was {said}" for said in failed]
            ),
            exact={f"heap {name}": heap, **({f"heap32 {name}": most} if true else {})},
        )
    table.add(
        "modules loaded for a GPIO job, when it is not the first",
        f"{len(found.loaded)}: {', '.join(found.loaded)}",
        target=f"budget {budgets.JOB_LOADS}",
        exact={"job_loads": found.loaded},
    )
    table.add(
        "names that a board keeps after all that",
        f"{found.names}, about: what it has in its flash is known from its stubs",
        target=f"budget {budgets.NAMES}: of more, the pools take 2.2 KB more",
        exact={"names": found.names},
    )


def measure(make_device: Callable[..., Device], divisor: int = 0) -> Heap:
    """Start devices with the probe and have them do everything."""
    device = make_device(deployed=False)
    trace = Trace(device, divisor)
    device.expect("link: ready")
    device.close()  # in the field nobody is at the console
    time.sleep(_REST_S)
    in_use = {AT_REST: trace.settled()}
    failed = {}
    with _server() as url:
        download = {"operation": "download-file", "url": url, "path": "/files/bench"}
        for name, document in (
            ("at most while it connects", None),
            ("at most during a GPIO job", _LED_ON),
            ("at most during a second one", _LED_ON),
            ("at most during a job of 8 KB", _steps(_LARGE)),
            (DOWNLOAD, download),
            (LARGEST, _steps(_LARGEST)),
            ("at most while the console is used", None),
        ):
            began = trace.marks()[0].at if "connects" in name else time.time()
            if "console" in name:
                _type(device)
            if document:
                status, details = device.run_job(document)
                if status != "SUCCEEDED":
                    failed[name] = f"{status} {details['code']}"
            time.sleep(_REST_S)
            in_use[name] = trace.peak(began, time.time())
            if "second" in name:
                loaded = trace.loaded(began)
    in_use[HTTPS], said = _download_by_https(make_device, divisor)
    return Heap(in_use, failed | said, loaded, trace.names())


def _download_by_https(
    make_device: Callable[..., Device], divisor: int
) -> tuple[int, dict[str, str]]:
    # (bytes at most, why it failed if it did), on a device that trusts the server
    with closing(HttpsServer()) as server:
        device = make_device(deployed=False)
        trace = Trace(device, divisor, config={"extra_root": server.root})
        device.expect("link: ready")
        device.command("help")
        time.sleep(_REST_S)
        began = time.time()
        url = f"https://localhost:{server.port}/f"
        status, details = device.run_job(
            {"operation": "download-file", "url": url, "path": "/files/bench"}
        )
        failed = {} if status == "SUCCEEDED" else {HTTPS: f"{status} {details['code']}"}
        return trace.peak(began, time.time()), failed


def _steps(size: int) -> dict[str, Any]:
    bare = len(json.dumps({"steps": [{**_LED_ON, "_why": ""}] * _STEPS}))
    return {"steps": [{**_LED_ON, "_why": "x" * ((size - bare) // _STEPS)}] * _STEPS}


@contextmanager
def _server() -> Iterator[str]:
    # yields a URL of 2 KB, of a file
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(_LARGE))
            self.end_headers()
            self.wfile.write(b"x" * _LARGE)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://localhost:{server.server_address[1]}/file?signature="
        yield url + "x" * (_LONGEST_URL - len(url))
        server.shutdown()


def _type(device: Device) -> None:
    device.open()
    for command in _COMMANDS:
        answer = device.command(command)
        assert answer.status == 0, answer


def _in_32_bit(make_device: Callable[..., Device], monkeypatch: pytest.MonkeyPatch) -> Heap | None:
    # only a Unix port can be a board; a command of several words is some other port
    command = shlex.split(os.environ.get(VARIABLE_32, ""))
    if len(command) != 1:
        return None
    monkeypatch.setenv("MICROPYTHON", command[0])
    monkeypatch.setattr(interpreter, "OLDEST", (1, 25))  # nothing here needs the raw REPL
    return measure(make_device, 1)
