"""The longest names and the largest documents that AWS allows, with the real cloud
(AWS IoT quotas: thing name 128 characters, job id 64, document 32 KB).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from host_tools.provision import provision
from tests.device_fixture import Device, put
from tests.system.test_executor import gpio, levels

THING = "thing_of-128:characters"
JOB_ID = "job_of-64_characters"
DOCUMENT = 32 * 1024


@pytest.fixture
def longest(make_device: Callable[..., Device]) -> Iterator[Device]:
    """A connected device with the longest thing name; its client id is as long."""
    short = make_device(deployed=False)
    thing = f"{THING}-{short.board.name}".ljust(128, "x")
    device = Device(short.board, short.cloud, provision(short.cloud, thing))
    put(device)
    device.open()
    device.expect("link: ready")
    yield device
    device.close()


def test_a_thing_of_128_characters_runs_a_job_whose_id_has_64(longest: Device) -> None:
    job_id = f"{JOB_ID}-{longest.board.name}".ljust(64, "x")
    assert f"thing: {longest.thing}, client id {longest.thing}" in longest.command("status").lines
    longest.result("executor off")
    steps = [gpio("on"), {"operation": "reboot"}, gpio("on", "relay")]
    longest.create_job({"steps": steps}, job_id)
    described = longest.result(f"describe-job-execution {job_id}")["execution"]
    assert described["jobId"] == job_id
    longest.result("executor on")
    assert longest.ended(job_id)["status"] == "SUCCEEDED", "over a reset, too"
    assert longest.board.boot == 2


def test_a_document_of_32_kb_is_rejected_and_does_not_block_the_queue(longest: Device) -> None:
    document = json.dumps({**gpio("on"), "_padding": ""})
    document = document.replace('""', '"%s"' % ("x" * (DOCUMENT - len(document))))
    assert len(document) == DOCUMENT
    large = longest.create_job(document)
    behind = longest.create_job(gpio("on"))
    rejected = longest.ended(large)
    assert rejected["status"] == "REJECTED"
    assert rejected["statusDetails"]["detailsMap"]["code"] == "DOCUMENT_TOO_LARGE"
    assert longest.ended(behind)["status"] == "SUCCEEDED"
    assert levels(longest) == [1]
    assert longest.board.boot == 1 and "Traceback" not in longest.log()
