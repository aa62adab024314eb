"""awsiotsdk's Jobs client beside the firmware, at the same cloud, as the same kind of thing: what
one does and is told, the other is told, too.
"""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from awscrt import mqtt5
from awscrt.mqtt_request_response import ClientOptions
from awsiot import ServiceStreamOptions, iotjobs, mqtt5_client_builder

from host_tools.cloud.info import CloudInfo
from host_tools.identity import ThingIdentity
from host_tools.provision import provision
from tests.device_fixture import Device

WAIT_S = 15
_numbers = itertools.count(1)


class Stranger:
    """IotJobsClientV2, connected as a thing of its own; events come into queues."""

    def __init__(self, made: ThingIdentity, cloud: CloudInfo) -> None:
        self.thing = made.thing
        self.changed: queue.Queue[Any] = queue.Queue()
        self.next: queue.Queue[Any] = queue.Queue()
        connected: queue.Queue[Any] = queue.Queue()
        self._client = mqtt5_client_builder.mtls_from_path(
            str(made.folder / "certificate.pem"),
            str(made.folder / "private_key.pem"),
            endpoint="localhost",
            port=cloud.mqtt_port,
            ca_filepath=cloud.ca,
            client_id=made.thing,
            on_lifecycle_connection_success=connected.put,
            extended_validation_and_flow_control_options=(
                mqtt5.ExtendedValidationAndFlowControlOptions.NONE
            ),
        )
        self._client.start()
        connected.get(timeout=WAIT_S)
        self.jobs = iotjobs.IotJobsClientV2(
            self._client,
            ClientOptions(
                max_request_response_subscriptions=4,
                max_streaming_subscriptions=2,
                operation_timeout_in_seconds=WAIT_S,
            ),
        )
        self._streams = [
            self._stream(
                self.jobs.create_job_executions_changed_stream,
                iotjobs.JobExecutionsChangedSubscriptionRequest(thing_name=self.thing),
                self.changed,
            ),
            self._stream(
                self.jobs.create_next_job_execution_changed_stream,
                iotjobs.NextJobExecutionChangedSubscriptionRequest(thing_name=self.thing),
                self.next,
            ),
        ]

    def pending(self) -> Any:
        request = iotjobs.GetPendingJobExecutionsRequest(thing_name=self.thing)
        return self.jobs.get_pending_job_executions(request).result(WAIT_S)

    def start_next(self) -> Any:
        request = iotjobs.StartNextPendingJobExecutionRequest(thing_name=self.thing)
        return self.jobs.start_next_pending_job_execution(request).result(WAIT_S)

    def update(self, job_id: str, status: str) -> None:
        request = iotjobs.UpdateJobExecutionRequest(
            thing_name=self.thing, job_id=job_id, status=status
        )
        self.jobs.update_job_execution(request).result(WAIT_S)

    def close(self) -> None:
        self._streams.clear()  # closes them
        self._client.stop()

    def _stream(self, create: Callable[..., Any], request: Any, events: queue.Queue[Any]) -> Any:
        stream = create(request, ServiceStreamOptions(incoming_event_listener=events.put))
        stream.open()
        return stream


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
