"""What goes over the wire: for a job, and while there is none."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.figures import number
from tests.benchmarks.table import Table
from tests.benchmarks.traffic import Traffic, idle_hour, job
from tests.benchmarks.wiretap import Wiretap, make_wiretap
from tests.device_fixture import Device
from tests.firmware import budgets
from tests.proxy import Proxy

__all__ = ["make_wiretap"]


def bench_traffic(
    make_device: Callable[..., Device],
    make_proxy: Callable[[int], Proxy],
    make_wiretap: Callable[..., Wiretap],
    table: Table,
) -> None:
    line = Traffic(make_device(deployed=False), make_proxy, make_wiretap)
    found = job(line)
    table.add(
        "bytes on the wire per job, TLS included, TCP/IP not",
        f"{found.up} up, {found.down} down\n" + "\n".join(found.packets),
        target=f"{len(found.packets)} packets, budget {budgets.JOB_PACKETS}; TLS records for a "
        f"packet that goes up: {number(found.records)}, budget 1",
        exact={"job_bytes": [found.up, found.down], "job_packets": found.packets},
    )
    idle = idle_hour(line)
    table.add(
        "bytes on the wire per idle hour, at the default keep-alive",
        f"{idle.up} up, {idle.down} down\n{', '.join(idle.packets)} each {idle.every_s} s",
        target="reported",
        exact={"idle_hour_bytes": [idle.up, idle.down]},
    )
