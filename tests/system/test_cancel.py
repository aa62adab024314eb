"""Jobs that end before they are done: cancelled, deleted, out of time. The board stops in the
middle of the step, leaves the hardware as the operation says, and goes on with the next job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from host_tools.board.buttons import push
from host_tools.cloud.info import CloudInfo
from tests.board_fixture import eventually
from tests.cloud_fixture import own_cloud
from tests.device_fixture import Device, put
from tests.system.test_executor import gpio, levels

RELAY = 4
LONG = {"steps": [gpio("on"), {"operation": "wait", "seconds": 60}, gpio("on", "relay")]}
# An operation that holds a pin while it works, and works for ever
HOLD = b"""
import asyncio
ARGUMENTS = {"pin": ("pin", "gpio")}
TIMEOUT_S = 2
async def run(arguments, job):
    job.board.switch(arguments["pin"], True)
    try:
        await asyncio.sleep(3600)
    finally:
        job.board.switch(arguments["pin"], False)
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudInfo]:
    """A local IoT Core whose minutes last 2 s."""
    with own_cloud(tmp_path_factory, minute_s=2) as running:
        yield running


def start(device: Device, document: Any = LONG, **more: Any) -> str:
    """Create a job and wait until its first step has acted."""
    edges = len(device.board.edges())
    job_id = device.create_job(document, **more)
    eventually(lambda: len(device.board.edges()) > edges)
    return job_id


def goes_on(device: Device) -> None:
    """Check that the board runs another job, and that the long one went no further."""
    assert device.run_job(gpio("off"))[0] == "SUCCEEDED"
    assert levels(device, RELAY) == []
    assert [level for level in levels(device) if level != "z"] == [1, 0]


def test_a_cancelled_job_stops_in_the_middle_of_its_step(device: Device) -> None:
    job_id = start(device)
    device.iot.cancel_job(jobId=job_id, force=True)
    device.expect(f"jobs: {job_id} dropped: CANCELED stopped by the operator")
    assert device.execution(job_id)["status"] == "CANCELED"
    goes_on(device)


def test_a_deleted_job_stops(device: Device) -> None:
    job_id = start(device)
    device.iot.delete_job(jobId=job_id, force=True)
    device.expect(f"jobs: {job_id} dropped: ")
    goes_on(device)


def test_a_job_that_is_cancelled_while_the_link_is_down_stops_when_it_is_back(
    device: Device,
) -> None:
    job_id = start(device)
    push(device.board.files, "freeze-link", "2s")
    push(device.board.files, "cut-link")
    device.expect("W .* link: ")
    device.iot.cancel_job(jobId=job_id, force=True)
    device.expect(f"jobs: {job_id} dropped: CANCELED")
    goes_on(device)


def test_a_job_that_is_cancelled_while_the_board_is_off_is_not_resumed(device: Device) -> None:
    job_id = start(device)
    device.close()
    device.board.stop()
    device.iot.cancel_job(jobId=job_id, force=True)
    device.board.start(bound=True)
    device.open()
    device.expect(f"jobs: {job_id} dropped: (TerminalStateReached|it is CANCELED)")
    goes_on(device)


def test_a_job_that_has_run_out_of_time_at_the_service_stops(device: Device) -> None:
    job_id = start(device, timeoutConfig={"inProgressTimeoutInMinutes": 1})
    device.expect(f"jobs: {job_id} dropped: ")
    assert device.execution(job_id)["status"] == "TIMED_OUT"
    goes_on(device)


@pytest.mark.long
def test_progress_renews_the_step_timer_of_the_service(device: Device) -> None:
    # the step timer of 10 minutes is 20 s here
    job_id = device.create_job({"operation": "wait", "seconds": 45})
    ended = device.ended(job_id, 60)
    assert ended["status"] == "SUCCEEDED", device.log()


@pytest.mark.long
def test_a_board_that_dies_in_a_job_does_not_block_its_queue(device: Device) -> None:
    job_id = start(device)
    device.close()
    device.board.stop()
    eventually(lambda: device.execution(job_id)["status"] == "TIMED_OUT", 40)
    device.board.start(bound=True)
    device.open()
    device.expect(f"jobs: {job_id} dropped: (TerminalStateReached|it is TIMED_OUT)")
    goes_on(device)


def test_a_step_that_takes_too_long_fails_and_leaves_the_hardware_safe(
    make_device: Callable[..., Device],
) -> None:
    device = make_device(deployed=False)
    put(device, more={"/sandbox/operations/hold.py": HOLD})
    device.open()
    status, details = device.run_job({"operation": "hold", "pin": "led"})
    assert (status, details["code"]) == ("FAILED", "STEP_TIMEOUT")
    assert "2 s" in details["reason"]
    assert levels(device) == [1, 0]
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"


def test_a_cancelled_operation_leaves_the_hardware_safe(
    make_device: Callable[..., Device],
) -> None:
    device = make_device(deployed=False)
    patient = HOLD.replace(b"TIMEOUT_S = 2", b"TIMEOUT_S = 600")
    put(device, more={"/sandbox/operations/hold.py": patient})
    device.open()
    job_id = start(device, {"operation": "hold", "pin": "led"})
    device.iot.cancel_job(jobId=job_id, force=True)
    eventually(lambda: levels(device) == [1, 0])
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"
