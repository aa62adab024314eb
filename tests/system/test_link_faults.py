"""What the board does when the link is bad: it notices in time, comes back by itself, loses no
job, and its console answers within a second all the while.
"""

from __future__ import annotations

import functools
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from host_tools.board import faults
from host_tools.board.buttons import push
from tests.board_fixture import eventually
from tests.device_fixture import Device, put
from tests.proxy import DOWN, UP, Proxy
from tests.system.test_executor import gpio, levels

KEEPALIVE_S = 2
ANSWER_S = 5.0  # less than a second on an idle machine; what must not be waited for takes longer


@pytest.fixture
def proxied(
    make_device: Callable[..., Device], make_proxy: Callable[[int], Proxy]
) -> Callable[..., tuple[Device, Proxy]]:
    """Makes a device behind a proxy, with a short keep-alive, connected unless told otherwise."""

    def make(
        *, connected: bool = True, keepalive_s: int = KEEPALIVE_S, **conditions: object
    ) -> tuple[Device, Proxy]:
        device = make_device(deployed=False)
        proxy = make_proxy(device.made.port)
        vars(proxy.conditions).update(conditions)
        put(device, {"keepalive_s": keepalive_s}, port=proxy.port)
        device.open()
        if connected:
            device.expect("link: ready")
        return device, proxy

    return make


def answers(device: Device) -> str:
    """Ask for the status; return the link's. Fails if that takes as long as what goes on."""
    began = time.monotonic()
    answer = device.command("status")
    assert time.monotonic() - began < ANSWER_S, answer
    assert answer.status == 0
    return next(line for line in answer.lines if line.startswith("link: "))


def test_a_half_open_link_is_noticed_within_one_and_a_half_keep_alive_periods(
    proxied: Callable[..., tuple[Device, Proxy]],
) -> None:
    device, proxy = proxied()
    proxy.conditions.frozen = True
    began = time.monotonic()
    while not device.has("link: NO_PINGRESP: "):
        # to the tenth of a second: tests/firmware/test_link_faults.py
        assert time.monotonic() - began < 1.5 * KEEPALIVE_S + ANSWER_S
        answers(device)
    proxy.conditions.frozen = False
    device.expect("link: ready")
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"


@pytest.mark.long
def test_a_request_is_given_up_in_its_own_time_and_the_link_is_then_checked(
    make_device: Callable[..., Device], make_proxy: Callable[[int], Proxy]
) -> None:
    device = make_device(deployed=False)
    proxy = make_proxy(device.made.port)
    put(device, {"keepalive_s": 600, "executor": False}, port=proxy.port)
    device.open()
    device.expect("link: ready")
    proxy.conditions.frozen = True
    began = time.monotonic()
    answer = device.command("get-pending-job-executions")
    assert 9.5 < time.monotonic() - began < 10 + ANSWER_S
    assert answer.status == 1 and "rejected: Timeout" in "\n".join(answer.lines)
    device.expect("link: NO_PINGRESP: ")
    proxy.conditions.frozen = False
    device.expect("link: ready")  # its handshake may have been frozen, too


def _more(proxy: Proxy, connections: int) -> bool:
    return proxy.connections > connections


def test_a_cut_in_the_middle_of_a_packet_either_way(
    proxied: Callable[..., tuple[Device, Proxy]],
) -> None:
    device, proxy = proxied()
    for number, (way, count) in enumerate(((UP, 20), (DOWN, 33))):
        connections = proxy.connections
        proxy.cut_after(way, count)
        job_id = device.create_job(gpio("on" if number % 2 == 0 else "off"))
        assert device.ended(job_id)["status"] == "SUCCEEDED"
        eventually(functools.partial(_more, proxy, connections))
        device.expect("link: ready")
    assert levels(device) == [1, 0]


def test_bytes_that_come_one_by_one(proxied: Callable[..., tuple[Device, Proxy]]) -> None:
    device, _ = proxied(dribble=True, keepalive_s=30)
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"
    assert levels(device) == [1]
    assert answers(device).startswith("link: online")


def test_a_slow_and_narrow_link(proxied: Callable[..., tuple[Device, Proxy]]) -> None:
    device, proxy = proxied(delay_s=0.2, bytes_per_s=4000, keepalive_s=30)
    jobs = [device.create_job(gpio(action)) for action in ("on", "toggle")]
    for job_id in jobs:
        assert device.ended(job_id)["status"] == "SUCCEEDED"
        assert answers(device).startswith("link: online")
    assert levels(device) == [1, 0]
    assert proxy.connections == 1, "a keep-alive must stand a slow link"


@pytest.mark.parametrize("handshake_bytes", [0, 300, 1500])
def test_the_console_answers_while_the_handshake_is_frozen(
    proxied: Callable[..., tuple[Device, Proxy]], handshake_bytes: int
) -> None:
    device, proxy = proxied(connected=False, frozen=handshake_bytes == 0)
    if handshake_bytes:  # let the first flights pass
        eventually(lambda: proxy.bytes_passed(DOWN) + proxy.bytes_passed(UP) >= handshake_bytes)
        proxy.conditions.frozen = True
        proxy.cut()
    for _ in range(20):
        assert answers(device).split()[1] in ("connecting", "offline")
    proxy.conditions.frozen = False
    device.expect("link: ready")


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose queue of connections is full: what is sent there vanishes, as at a firewall."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for each in waiting:
            each.close()


def test_the_console_answers_while_tcp_waits_for_an_answer(
    make_device: Callable[..., Device], deaf: int
) -> None:
    device = make_device(deployed=False)
    put(device, port=deaf)
    device.open()
    for _ in range(20):
        assert answers(device).startswith("link: connecting")
        time.sleep(0.05)


def test_a_server_that_says_nothing_at_all(
    make_device: Callable[..., Device],
) -> None:
    device = make_device(deployed=False)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []
        threading.Thread(target=lambda: taken.append(listening.accept()[0]), daemon=True).start()
        put(device, port=listening.getsockname()[1])
        device.open()
        eventually(lambda: taken)
        for _ in range(10):
            assert answers(device).startswith("link: connecting")
        taken[0].close()
        device.expect("link: (TLS_REFUSED|TLS_FAILED|CLOSED_BY_PEER)")


def test_wifi_lost_and_found_again(make_device: Callable[..., Device]) -> None:
    device = make_device(deployed=False)
    put(device, {"keepalive_s": KEEPALIVE_S})
    device.open()
    device.expect("link: ready")
    push(device.board.files, "wifi-drop", "4s")
    job_id = device.create_job(gpio("on"))
    device.expect("W .* link: ")
    assert answers(device).split()[1] in ("connecting", "offline")
    assert device.ended(job_id)["status"] == "SUCCEEDED"
    assert levels(device) == [1]


def test_the_address_is_asked_for_until_somebody_gives_one(
    make_device: Callable[..., Device],
) -> None:
    device = make_device(deployed=False)
    put(device)
    faults.press(device.board.files, "wifi", "no-dhcp")
    device.board.power_cut()
    device.open()
    for _ in range(10):
        assert answers(device).split()[1] in ("connecting", "offline")
    faults.release(device.board.files)
    device.expect("link: ready")


def test_a_clock_that_jumps_does_not_lose_the_link_or_a_job(device: Device) -> None:
    push(device.board.files, "clock", "+36500d")
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"
    push(device.board.files, "clock", "2001-01-01")
    assert device.run_job(gpio("off"))[0] == "SUCCEEDED"
    push(device.board.files, "cut-link")
    device.expect("clock: set by ")
    device.expect("link: ready")
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"


def test_a_damaged_journal_on_a_full_flash_does_not_keep_the_board_from_coming_back(
    make_device: Callable[..., Device],
) -> None:
    device = make_device(deployed=False)
    put(device, more={"/state/journal.json": b'{"jobId":', "/state/boot_count": b"\xff"})
    push(device.board.files, "flash-full")
    for boot in (2, 3):
        device.board.power_cut()
        device.close()
        device.open()
        device.expect("link: ready")
        assert device.run_job(gpio("on"))[1]["code"] == "FLASH_FULL"
        assert device.board.boot == boot, "it starts once, and stays"
    push(device.board.files, "none")
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"


def test_a_full_flash_fails_the_job_with_the_reason_and_the_board_goes_on(device: Device) -> None:
    push(device.board.files, "flash-full")
    status, details = device.run_job(gpio("on"))
    assert (status, details["code"]) == ("FAILED", "FLASH_FULL")
    assert levels(device) == [], "nothing may be done that is not in the journal"
    push(device.board.files, "none")
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"
