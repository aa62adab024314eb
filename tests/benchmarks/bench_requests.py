"""Request and reply, back to back: get-pending-job-executions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from host_tools.cloud.info import CloudInfo
from host_tools.provision import provision
from tests.benchmarks import on_board, sdk_run
from tests.benchmarks.figures import Spread, number
from tests.benchmarks.interpreters import how_measured, words
from tests.benchmarks.table import Table
from tests.device_fixture import Device
from tests.firmware import budgets

_COUNT = {False: 60, True: 200}  # by whether they are the best settings


def bench_requests(
    make_device: Callable[..., Device], local_cloud: Any, cloud: CloudInfo, table: Table
) -> None:
    found = on_board.run(make_device(deployed=False), "requests.py")
    spreads = {
        name: Spread.of([us / 1000 for us in times]) for name, times in found["times"].items()
    }
    turns = round(Spread.of(found["turns"]).median)
    made = provision(local_cloud, "sdk-requests")
    for best, name in ((False, "default"), (True, "best")):
        printed = sdk_run.run(
            "requests", made, cloud.mqtt_port, cloud.ca, best=best, count=_COUNT[best]
        )
        spreads[name] = Spread.of(json.loads(printed))
    awake = spreads.pop("awake")
    ours, floor = spreads["firmware"].median, spreads["raw"].median
    ratios = {name: ours / spread.median for name, spread in spreads.items()}
    allocated = found["allocated"] // words()
    target = budgets.REQUEST_RATIO_TARGET
    table.add(
        "request → reply, get-pending-job-executions, back to back",
        f"{spreads['firmware'].text('ms')}\n"
        f"its own work in that, in {turns} turns of the loop: {awake.text('ms')}; the rest is "
        f"the cloud; the floor and its own work: {1 + awake.median / floor:.2f} of the floor\n"
        f"{allocated} bytes of heap allocated, {how_measured()}",
        beside="\n".join(
            f"{label}: {spreads[name].text('ms')}, here is {ratios[name]:.2f} of it"
            for name, label in (
                ("raw", "raw socket, the same request (the floor)"),
                ("ping", "raw socket, PINGREQ"),
                ("umqtt", "plain umqtt.simple"),
                ("default", "awsiotsdk, default settings"),
                ("best", "awsiotsdk, best settings"),
            )
        ),
        target=_verdict(ratios["raw"], target, "of the floor")
        + "\n"
        + _verdict(ratios["best"], 1.0, "of awsiotsdk's best"),
        exact={"request_turns": turns, "request_allocates": allocated},
        ratios={f"request_to_{name}": ratio for name, ratio in ratios.items() if ratio != 1},
    )


def _verdict(ratio: float, target: float, of: str) -> str:
    word = "met" if ratio <= target else "missed"
    return f"{word}: {ratio:.2f} {of}, at most {number(target)}"
