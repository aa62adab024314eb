"""How soon a job acts, and how many there are in a second."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.cloud.info import CloudInfo
from host_tools.identity import ThingIdentity
from host_tools.provision import provision
from tests.benchmarks import sdk_run
from tests.benchmarks.figures import Spread
from tests.benchmarks.table import Table
from tests.board_fixture import eventually
from tests.device_fixture import Device, put
from tests.firmware import budgets
from tests.proxy import Proxy

TOGGLE = {"operation": "gpio", "pin": "led", "action": "toggle"}
_JOBS = 20
_ROW_OF_JOBS = 20
_RTT_S = 0.05


def bench_create_job_to_pin_edge(
    device: Device, local_cloud: Any, cloud: CloudInfo, tmp_path: Path, table: Table
) -> None:
    def edges() -> list[Any]:
        return [edge for edge in device.board.edges() if edge["value"] in (0, 1)]

    spreads = {"here": _latencies(device.iot, device.made, edges)}
    for best, name in ((False, "default"), (True, "best")):
        made, file = provision(local_cloud, f"sdk-agent-{name}"), tmp_path / name
        file.touch()
        with sdk_run.agent(made, cloud.mqtt_port, cloud.ca, file, best=best):
            spreads[name] = _latencies(
                device.iot,
                made,
                lambda file=file: _lines(file),  # type: ignore[misc]
            )
    ours = spreads["here"].median
    ratios = {name: ours / spreads[name].median for name in ("default", "best")}
    table.add(
        "create-job answered → pin edge",
        spreads["here"].text("ms"),
        beside="\n".join(
            f"agent on awsiotsdk, {name} settings: {spreads[name].text('ms')}, "
            f"here is {ratios[name]:.2f} of it"
            for name in ratios
        ),
        target="\n".join(
            f"{'met' if ratio <= 1 else 'missed'}: {ratio:.2f} of the agent with {name} settings, "
            "at most 1"
            for name, ratio in ratios.items()
        ),
        ratios={f"edge_to_awsiotsdk_{name}": ratio for name, ratio in ratios.items()},
    )


def bench_jobs_per_second(
    make_device: Callable[..., Device],
    make_proxy: Callable[[int], Proxy],
    local_cloud: Any,
    cloud: CloudInfo,
    tmp_path: Path,
    table: Table,
) -> None:
    device = make_device(deployed=False)
    proxy = make_proxy(device.made.port)
    put(device, {"log": "error"}, port=proxy.port)
    proxy.conditions.delay_s = _RTT_S / 2
    for _ in range(_ROW_OF_JOBS):
        device.create_job(TOGGLE)
    ours = _gaps(device.board.edges)
    made, file = provision(local_cloud, "sdk-row"), tmp_path / "row"
    file.touch()
    proxy = make_proxy(cloud.mqtt_port)
    proxy.conditions.delay_s = _RTT_S / 2
    with sdk_run.agent(made, proxy.port, cloud.ca, file, best=True):
        for number in range(_ROW_OF_JOBS):
            device.iot.create_job(
                jobId=f"row-{number}", targets=[made.thing_arn], document=json.dumps(TOGGLE)
            )
        theirs = _gaps(lambda: _lines(file))
    limit = 1 / (2 * _RTT_S)
    rate = 1000 / ours.median
    share = rate / limit
    word = "met" if share >= budgets.JOBS_SHARE_TARGET else "missed"
    table.add(
        "jobs per second, one after another, at 50 ms round trip",
        f"{rate:.2f}; a job takes {ours.text('ms', 1)}",
        beside=f"two round trips, no more: {limit:.2f}\n"
        f"agent on awsiotsdk, best settings: {1000 / theirs.median:.2f}; "
        f"a job takes {theirs.text('ms', 1)}",
        target=f"{word}: {share:.0%} of the limit, at least {budgets.JOBS_SHARE_TARGET:.0%}",
        ratios={
            "jobs_per_second_to_limit": share,
            "jobs_per_second_to_awsiotsdk": theirs.median / ours.median,
        },
    )


def _gaps(effects: Callable[[], list[Any]]) -> Spread:
    # ms between the effects of a row of jobs
    found = eventually(lambda: len(now := effects()) >= _ROW_OF_JOBS and now, 60)
    return Spread.of(
        [1000 * (late["t"] - early["t"]) for early, late in itertools.pairwise(found)]
    )


def _latencies(iot: Any, made: ThingIdentity, effects: Callable[[], list[Any]]) -> Spread:
    # ms from create-job's answer to the effect, which may come before it
    samples = []
    for number in range(_JOBS):
        before = len(effects())
        iot.create_job(
            jobId=f"{made.thing}-{number}",
            targets=[made.thing_arn],
            document=json.dumps(TOGGLE),
        )
        answered = time.time()
        eventually(lambda before=before: len(effects()) > before)  # type: ignore[misc]
        samples.append(1000 * (effects()[-1]["t"] - answered))
        time.sleep(0.1)  # it is to be reported before the next one
    return Spread.of(samples[1:])


def _lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]
