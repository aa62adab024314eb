"""Round trips from TCP connect to the first job execution IN_PROGRESS, each named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from host_tools.provision import provision
from tests.benchmarks import sdk_run
from tests.benchmarks.figures import verdict
from tests.benchmarks.table import Table
from tests.benchmarks.wiretap import Talk, Wiretap, make_wiretap
from tests.device_fixture import Device, put
from tests.firmware import budgets
from tests.proxy import Proxy

__all__ = ["make_wiretap"]

ONE_WAY_S = 0.1
RTT_S = 2 * ONE_WAY_S
STARTED = "PUBLISH start-next/accepted"
LED_ON = {"operation": "gpio", "pin": "led", "action": "on"}


def bench_round_trips(
    make_device: Callable[..., Device],
    make_proxy: Callable[[int], Proxy],
    make_wiretap: Callable[..., Wiretap],
    local_cloud: Any,
    table: Table,
) -> None:
    ours = connect_board(make_device(deployed=False), make_proxy, make_wiretap)
    trips = ours.round_trips(STARTED, RTT_S)
    theirs = []
    for what in ("start", "start-patiently"):
        made = provision(local_cloud, f"sdk-{what}")
        local_cloud.client("iot").create_job(
            jobId=f"sdk-{what}", targets=[made.thing_arn], document="{}"
        )
        tap = make_wiretap(made, tls13=True)
        proxy = make_proxy(tap.port)
        proxy.conditions.delay_s = ONE_WAY_S
        sdk_run.run(what, made, proxy.port, tap.ca_pem, best=True)
        theirs.append(tap.talks[0])
    counts = [len(talk.round_trips(STARTED, RTT_S)) for talk in theirs]
    table.add(
        "round trips from TCP connect to the first job IN_PROGRESS, 200 ms each, TLS 1.2",
        f"{len(trips)}, in {_seconds(ours)}\n" + "\n".join(_numbered(trips)),
        beside=f"awsiotsdk, TLS 1.3: {counts[0]}, in {_seconds(theirs[0])}\n"
        f"waiting for each subscription: {counts[1]}, in {_seconds(theirs[1])}\n"
        + "\n".join(_numbered(theirs[1].round_trips(STARTED, RTT_S))),
        target=verdict(len(trips), budgets.ROUND_TRIPS_TARGET, "round trips"),
        exact={"round_trips": trips, "awsiotsdk_round_trips": counts},
        ratios={"connect_to_awsiotsdk": _took_s(ours) / _took_s(theirs[0])},
    )


def connect_board(
    device: Device, make_proxy: Callable[[int], Proxy], make_wiretap: Callable[..., Wiretap]
) -> Talk:
    """Have a board with a job waiting connect over a slow link; return what was said."""
    tap = make_wiretap(device.made)
    proxy = make_proxy(tap.port)
    proxy.conditions.delay_s = ONE_WAY_S
    job_id = device.create_job(LED_ON)
    credentials = {**device.made.credentials(), "root_ca_1.der": tap.ca_der}
    put(device, port=proxy.port, credentials=credentials)
    device.open()
    device.expect(f"{job_id} SUCCEEDED")
    return tap.talks[0]


def _took_s(talk: Talk) -> float:
    # one way more: until the client has the answer; and TCP's round trip, which the proxy answers
    return talk.named(STARTED)[0].at + ONE_WAY_S - talk.began + RTT_S


def _seconds(talk: Talk) -> str:
    took_s = _took_s(talk)
    return f"{took_s:.2f} s = {took_s / RTT_S:.2f} round trips"


def _numbered(trips: list[str]) -> list[str]:
    return [f"{number}. {trip}" for number, trip in enumerate(trips, 1)]
