"""The watchdog bites when the loop hangs, and the board tells of it; it leaves the REPL alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.device_fixture import Device, put

WATCHDOG_S = 4  # more than a busy machine lets a board wait for its turn
HANG = b"""
from sandbox.errors import JobFailed

ARGUMENTS = {"always": ("bool",)}
TIMEOUT_S = 60

async def run(arguments, job):
    if arguments["always"] or not job.saved:
        job.save({"begun": True})
        job.log.info("hang", "now")
        while True:
            pass
    raise JobFailed("NOT_POSSIBLE", "it hung before")
"""


@pytest.fixture
def watched(make_device: Callable[..., Device]) -> Device:
    device = make_device(deployed=False)
    more = {"/sandbox/operations/hang.py": HANG}
    put(device, {"watchdog_s": WATCHDOG_S}, more)
    device.open()
    device.expect("link: ready")
    return device


def test_a_loop_that_hangs_is_reset_and_the_failure_explained(watched: Device) -> None:
    status, details = watched.run_job({"operation": "hang", "always": False})
    assert (status, details["code"]) == ("FAILED", "NOT_POSSIBLE")
    assert details["resetCause"] == "WDT_RESET"
    assert details["beforeReset"].endswith("hang: now") and " started | " in details["beforeReset"]
    watched.expect("app: WDT_RESET, which was not ordered; before it: .*hang: now")
    assert watched.state("before the reset").endswith("hang: now")
    assert "boot 2, WDT_RESET" in watched.state("uptime")
    assert watched.run_job({"operation": "reboot"})[0] == "SUCCEEDED"
    said = watched.command("status").lines
    assert not any("before the reset" in line for line in said), "that reset was ordered"


@pytest.mark.long
def test_a_job_that_hangs_whenever_it_is_run_is_given_up(watched: Device) -> None:
    status, details = watched.run_job({"operation": "hang", "always": True})
    assert (status, details["code"]) == ("FAILED", "INTERRUPTED")
    assert details["resetCause"] == "WDT_RESET" and "hang: now" in details["beforeReset"]
    assert watched.board.boot == 6
    assert watched.run_job({"operation": "report"})[0] == "SUCCEEDED"


@pytest.mark.long
def test_it_does_not_bite_in_the_repl(watched: Device) -> None:
    watched.close()
    with watched.board.line() as line:
        line.send(b"\x03")
        line.read_until(b">>> ")
        time.sleep(WATCHDOG_S + 2)
        line.send(b"print(6 * 7)\r")
        line.read_until(b"42")
    assert watched.board.boot == 1
