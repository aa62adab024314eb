"""awsiotsdk's Jobs client beside the firmware, at the same cloud, as the same kind of thing: what
one does and is told, the other is told, too.
"""

from __future__ import annotations

import itertools
import queue
from collections.abc import Iterator
from typing import Any

import pytest

from host_tools.cloud.info import CloudInfo
from host_tools.identity import ThingIdentity
from host_tools.provision import provision
from tests.benchmarks.sdk import Sdk
from tests.device_fixture import Device

WAIT_S = 15
_numbers = itertools.count(1)


class Stranger(Sdk):
    """IotJobsClientV2, connected as a thing of its own; events come into queues."""

    def __init__(self, made: ThingIdentity, cloud: CloudInfo) -> None:
        self.changed: queue.Queue[Any] = queue.Queue()
        self.next: queue.Queue[Any] = queue.Queue()
        super().__init__(
            made,
            best=True,
            port=cloud.mqtt_port,
            ca=cloud.ca,
            on_changed=self.changed.put,
            on_next=self.next.put,
            wait_s=WAIT_S,
        )


@pytest.fixture
def stranger(local_cloud: Any, cloud: CloudInfo) -> Iterator[Stranger]:
    client = Stranger(provision(local_cloud, f"stranger-{next(_numbers)}"), cloud)
    yield client
    client.close()


def _summary(execution: Any) -> dict[str, Any]:
    return {
        "jobId": execution.job_id,
        "executionNumber": execution.execution_number,
        "versionNumber": execution.version_number,
    }


def _plain(execution: dict[str, Any]) -> dict[str, Any]:
    return {name: execution[name] for name in ("jobId", "executionNumber", "versionNumber")}


def test_both_see_the_same(manual: Device, stranger: Stranger) -> None:
    arns = [manual.made.thing_arn, manual.made.thing_arn.replace(manual.thing, stranger.thing)]
    for job_id in ("shared-1", "shared-2"):
        manual.iot.create_job(jobId=job_id, targets=arns, document='{"Todo": "Reboot"}')

    def same_pending() -> None:
        ours, theirs = manual.result("get-pending-job-executions"), stranger.pending()
        for mine, other in (
            (ours["queuedJobs"], theirs.queued_jobs),
            (ours["inProgressJobs"], theirs.in_progress_jobs),
        ):
            assert [_plain(each) for each in mine] == [_summary(each) for each in other]

    def same_events() -> None:
        ours = manual.event("JobExecutionsChanged")["jobs"]
        theirs = stranger.changed.get(timeout=WAIT_S).jobs
        assert {
            status: [_plain(each) for each in executions] for status, executions in ours.items()
        } == {
            str(getattr(status, "value", status)): [_summary(each) for each in executions]
            for status, executions in theirs.items()
        }

    same_events()
    first = stranger.next.get(timeout=WAIT_S)
    assert manual.event("NextJobExecutionChanged")["execution"]["jobId"] == first.execution.job_id
    same_events()
    same_pending()

    ours = manual.result("start-next-pending-job-execution")["execution"]
    theirs = stranger.start_next().execution
    assert _plain(ours) == _summary(theirs)
    assert ours["jobDocument"] == theirs.job_document
    same_pending()

    manual.result("update-job-execution shared-1 SUCCEEDED")
    stranger.update("shared-1", "SUCCEEDED")
    same_events()
    ours_next = manual.event("NextJobExecutionChanged")["execution"]
    assert ours_next["jobId"] == stranger.next.get(timeout=WAIT_S).execution.job_id == "shared-2"
    same_pending()


def test_a_job_for_both_is_run_by_each(device: Device, stranger: Stranger) -> None:
    arns = [device.made.thing_arn, device.made.thing_arn.replace(device.thing, stranger.thing)]
    document = '{"operation": "gpio", "pin": "led", "action": "on"}'
    device.iot.create_job(jobId="for-both", targets=arns, document=document)
    assert device.ended("for-both")["status"] == "SUCCEEDED"
    assert stranger.start_next().execution.job_id == "for-both"
    stranger.update("for-both", "FAILED")
    answer = device.iot.describe_job(jobId="for-both")["job"]["jobProcessDetails"]
    assert (answer["numberOfSucceededThings"], answer["numberOfFailedThings"]) == (1, 1)
