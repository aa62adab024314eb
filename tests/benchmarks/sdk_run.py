"""AWS's client in a process of its own, so that neither shares the other's: `run` starts it.

`python -m tests.benchmarks.sdk_run WHAT THING PORT CA best|default […]`; WHAT is

    start               connect, start the next job, go
    start-patiently     the same, but wait for each subscription before the next
    requests COUNT      time COUNT requests, get-pending-job-executions; prints ms as JSON
    agent FILE          run jobs as they come, until stdin ends; appends the time of each effect
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_tools.identity import ThingIdentity, identity
from host_tools.paths import ROOT
from tests.benchmarks.sdk import Sdk

_WARM_UP = 5


def run(
    what: str, made: ThingIdentity, port: int, ca: Path | str, *, best: bool, **more: Any
) -> str:
    """Do it to the end; return what it printed."""
    done = subprocess.run(
        _command(what, made, port, ca, best, more),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


@contextlib.contextmanager
def agent(
    made: ThingIdentity, port: int, ca: Path | str, file: Path, *, best: bool
) -> Iterator[None]:
    """Have an agent run meanwhile that takes jobs as they come, and notes each in `file`."""
    command = _command("agent", made, port, ca, best, {"file": file})
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.stdin.close()
        process.wait(10)


def _command(
    what: str, made: ThingIdentity, port: int, ca: Path | str, best: bool, more: dict[str, Any]
) -> list[str]:
    settings = "best" if best else "default"
    words = [what, made.thing, str(port), str(ca), settings, *map(str, more.values())]
    return [sys.executable, "-m", "tests.benchmarks.sdk_run", *words]


def _main(what: str, thing: str, port: str, ca: str, settings: str, *more: str) -> None:
    events: queue.Queue[Any] = queue.Queue()
    sdk = Sdk(
        identity(thing),
        best=settings == "best",
        port=int(port),
        ca=ca,
        on_next=events.put,
        patient=what == "start-patiently",
    )
    if what == "requests":
        _time_requests(sdk, int(more[0]))
    elif what == "agent":
        _work(sdk, events, Path(more[0]))
    else:
        sdk.start_next()
    sys.stdout.flush()
    os._exit(0)  # its threads need no more


def _time_requests(sdk: Sdk, count: int) -> None:
    samples = []
    for _ in range(_WARM_UP + count):
        began = time.perf_counter()
        sdk.pending()
        samples.append(1000 * (time.perf_counter() - began))
    print(json.dumps(samples[_WARM_UP:]))


def _work(sdk: Sdk, events: queue.Queue[Any], file: Path) -> None:
    import threading

    sdk.pending()  # what it subscribes for the first request is no part of a job
    if sdk.start_next().execution:
        raise RuntimeError("there is a job already")

    def end() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
    print("ready", flush=True)
    while True:
        if not events.get().execution:
            continue
        while execution := sdk.start_next().execution:
            with file.open("a") as effects:  # as the virtual board records an edge
                effects.write(json.dumps({"t": time.time()}) + "\n")
            sdk.update(execution.job_id, "SUCCEEDED")


if __name__ == "__main__":
    _main(*sys.argv[1:])
