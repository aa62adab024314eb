"""The real firmware keeps within its budgets: round trips, packets, heap, and rest.

What is measured is shared with `make bench`, which puts it beside others.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks import idle
from tests.benchmarks.bench_connect import RTT_S, STARTED, connect_board
from tests.benchmarks.bench_heap import ALL_OF_IT, AT_REST, measure
from tests.benchmarks.traffic import Traffic, idle_hour, job
from tests.benchmarks.wiretap import UP, Wiretap, make_wiretap
from tests.device_fixture import Device
from tests.firmware import budgets
from tests.proxy import Proxy

__all__ = ["make_wiretap"]

Proxies = Callable[[int], Proxy]
Wiretaps = Callable[..., Wiretap]


def test_round_trips_to_the_first_job(
    make_device: Callable[..., Device], make_proxy: Proxies, make_wiretap: Wiretaps
) -> None:
    talk = connect_board(make_device(deployed=False), make_proxy, make_wiretap)
    trips = talk.round_trips(STARTED, RTT_S)
    assert len(trips) <= budgets.ROUND_TRIPS, trips
    sent = [event for event in talk.events if event.way == UP and event.size]
    assert all(event.records == budgets.RECORDS_PER_PACKET for event in sent), sent


def test_packets_of_a_job_and_of_an_idle_minute(
    make_device: Callable[..., Device], make_proxy: Proxies, make_wiretap: Wiretaps
) -> None:
    line = Traffic(make_device(deployed=False), make_proxy, make_wiretap)
    said = min((job(line) for _ in range(2)), key=lambda each: len(each.packets))
    assert len(said.packets) <= budgets.JOB_PACKETS, "\n".join(said.packets)
    assert said.records == budgets.RECORDS_PER_PACKET
    assert len(idle_hour(line).packets) == 2, "a PINGREQ and its answer"


def test_heap(make_device: Callable[..., Device]) -> None:
    found = measure(make_device)
    assert not found.failed
    assert found.in_use.pop(AT_REST) <= budgets.AT_REST, found
    for name in ALL_OF_IT:
        assert found.in_use.pop(name) <= budgets.PEAK_OF_ALL, found
    assert max(found.in_use.values()) <= budgets.PEAK, found
    assert len(found.loaded) <= budgets.JOB_LOADS, found.loaded
    assert found.names <= budgets.NAMES


def test_rest(make_device: Callable[..., Device]) -> None:
    found = idle.measure(make_device(deployed=False))
    assert found.wakes_per_s <= budgets.IDLE_WAKES
    assert found.allocated_per_min <= budgets.IDLE_ALLOCATED
    assert found.grows <= budgets.LEAK
