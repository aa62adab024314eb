"""AWS's own client beside the firmware: awsiotsdk's IotJobsClientV2, C underneath, as its sample
uses it; and with the settings that make it fastest here.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

from awscrt import mqtt5
from awscrt.mqtt_request_response import ClientOptions
from awsiot import ServiceStreamOptions, iotjobs, mqtt5_client_builder

from host_tools.identity import ThingIdentity

WAIT_S = 30
DEFAULT = "awsiotsdk, default settings"
BEST = "awsiotsdk, best settings"
_FLOW = mqtt5.ExtendedValidationAndFlowControlOptions


class Sdk:
    """A connected client of `made`; `best`: without the throttling that is its default."""

    def __init__(
        self,
        made: ThingIdentity,
        *,
        best: bool,
        port: int,
        ca: str,
        on_changed: Callable[[Any], None] = lambda event: None,
        on_next: Callable[[Any], None] = lambda event: None,
        patient: bool = False,
        wait_s: int = WAIT_S,
    ) -> None:
        """Connect and open both streams of events; `patient`: wait for each subscription."""
        self.thing = made.thing
        self._wait_s = wait_s
        connected: queue.Queue[Any] = queue.Queue()
        options = {"extended_validation_and_flow_control_options": _FLOW.NONE} if best else {}
        self._client = mqtt5_client_builder.mtls_from_path(
            str(made.folder / "certificate.pem"),
            str(made.folder / "private_key.pem"),
            endpoint="localhost",
            port=port,
            ca_filepath=ca,
            client_id=made.thing,
            on_lifecycle_connection_success=connected.put,
            **options,
        )
        self._client.start()
        connected.get(timeout=wait_s)
        self.jobs = iotjobs.IotJobsClientV2(
            self._client,
            ClientOptions(
                max_request_response_subscriptions=4,
                max_streaming_subscriptions=2,
                operation_timeout_in_seconds=wait_s,
            ),
        )
        self._patient = patient
        changed = iotjobs.JobExecutionsChangedSubscriptionRequest(thing_name=self.thing)
        following = iotjobs.NextJobExecutionChangedSubscriptionRequest(thing_name=self.thing)
        self._streams = [
            self._stream(self.jobs.create_job_executions_changed_stream, changed, on_changed),
            self._stream(self.jobs.create_next_job_execution_changed_stream, following, on_next),
        ]

    def pending(self) -> Any:
        request = iotjobs.GetPendingJobExecutionsRequest(thing_name=self.thing)
        return self.jobs.get_pending_job_executions(request).result(self._wait_s)

    def start_next(self) -> Any:
        request = iotjobs.StartNextPendingJobExecutionRequest(thing_name=self.thing)
        return self.jobs.start_next_pending_job_execution(request).result(self._wait_s)

    def update(self, job_id: str, status: str) -> None:
        request = iotjobs.UpdateJobExecutionRequest(
            thing_name=self.thing, job_id=job_id, status=status
        )
        self.jobs.update_job_execution(request).result(self._wait_s)

    def close(self) -> None:
        self._streams.clear()  # closes them
        self._client.stop()

    def _stream(self, create: Callable[..., Any], request: Any, listen: Callable[..., Any]) -> Any:
        established: queue.Queue[Any] = queue.Queue()
        options = ServiceStreamOptions(
            incoming_event_listener=listen, subscription_status_listener=established.put
        )
        stream = create(request, options)
        stream.open()
        if self._patient:
            established.get(timeout=self._wait_s)
        return stream
