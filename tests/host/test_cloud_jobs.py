"""AWS IoT Jobs of the local IoT Core: order, lists, notifications, limits and time-outs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cloud_fixture import Registry
from tests.mqtt_wire import Device, Wire

_EVENTS = ("$aws/things/{}/jobs/notify", "$aws/things/{}/jobs/notify-next")
_ANSWERS = tuple(
    f"$aws/things/{{}}/jobs/{what}" for what in ("get/+", "start-next/+", "+/get/+", "+/update/+")
)
_MINUTE_S = 0.4  # of strict_cloud
_numbers = itertools.count(1)


class Agent:
    """A thing with a connection subscribed to all of its Jobs topics."""

    def __init__(self, device: Device, wire: Wire, registry: Registry) -> None:
        self.name, self.wire, self._registry = device.name, wire, registry
        filters = [topic.format(device.name) for topic in (*_EVENTS, *_ANSWERS)]
        assert wire.subscribe(*filters) == [1] * 6

    def queue(self, job: str, **options: Any) -> str:
        """Queue a job for this thing and return its id."""
        job_id = f"{job}-{self.name}"
        self._registry.job(job_id, self.name, **options)
        self.events()
        return job_id

    def next_event(self, name: str, timeout_s: float = 30) -> dict[str, Any]:
        while True:
            topic, event = self.wire.message(timeout_s)
            if topic == f"$aws/things/{self.name}/jobs/{name}":
                return dict(event)

    def events(self) -> list[str]:
        """Return the names of the events that come now."""
        return [topic.rpartition("/")[2] for topic, _ in self.wire.messages()]

    def ask(self, what: str, **request: Any) -> dict[str, Any]:
        return self.wire.ask(self.name, what, request)

    def first(self) -> str | None:
        execution = self.ask("$next/get").get("execution")
        return execution["jobId"] if execution else None


@pytest.fixture
def agent(registry: Registry) -> Iterator[Agent]:
    made = registry.device(f"agent{next(_numbers)}")
    with made.connected() as wire:
        yield Agent(made, wire, registry)


def test_an_execution_in_progress_comes_before_queued_ones(agent: Agent) -> None:
    first, second = agent.queue("first"), agent.queue("second")
    assert agent.first() == first
    agent.ask(f"{second}/update", status="IN_PROGRESS")
    assert agent.first() == second
    assert agent.ask("start-next")["execution"]["jobId"] == second
    pending = agent.ask("get")
    assert [job["jobId"] for job in pending["inProgressJobs"]] == [second]
    assert [job["jobId"] for job in pending["queuedJobs"]] == [first]


def test_overtaking_is_notified(agent: Agent) -> None:
    agent.queue("first")
    second = agent.queue("second")
    agent.ask(f"{second}/update", status="IN_PROGRESS")
    event = agent.next_event("notify-next")
    assert event["execution"]["jobId"] == second
    assert event["execution"]["jobDocument"] == {"operation": "none"}
    agent.ask(f"{second}/update", status="IN_PROGRESS")
    assert agent.events() == []


def test_overtaking_over_http_is_notified(agent: Agent, registry: Registry) -> None:
    agent.queue("first")
    second = agent.queue("second")
    _http(registry).update_job_execution(thingName=agent.name, jobId=second, status="IN_PROGRESS")
    assert agent.next_event("notify-next")["execution"]["jobId"] == second


def test_starting_the_first_job_is_not_notified(agent: Agent) -> None:
    first = agent.queue("first")
    agent.ask(f"{first}/update", status="IN_PROGRESS")
    assert agent.events() == []


def test_ten_executions_are_listed_in_progress_first(agent: Agent) -> None:
    jobs = [agent.queue(f"job{number:02}") for number in range(12)]
    agent.ask(f"{jobs[11]}/update", status="IN_PROGRESS")
    pending = agent.ask("get")
    assert [job["jobId"] for job in pending["inProgressJobs"]] == [jobs[11]]
    assert [job["jobId"] for job in pending["queuedJobs"]] == jobs[:9]
    agent.ask(f"{jobs[0]}/update", status="SUCCEEDED")
    listed = agent.next_event("notify")["jobs"]
    assert [job["jobId"] for job in listed["IN_PROGRESS"]] == [jobs[11]]
    assert [job["jobId"] for job in listed["QUEUED"]] == jobs[1:10]


@pytest.mark.parametrize(
    "details",
    [
        {f"k{number}": "v" for number in range(11)},
        {"k" * 129: "v"},
        {"a b": "v"},
        {"": "v"},
        {"k": "v" * 1025},
        {"k": ""},
        {"k": "line\nline"},
        {"k": "\x7f"},
        {"k": "\u200b"},
    ],
    ids=[
        "11 pairs",
        "long key",
        "bad key",
        "no key",
        "long value",
        "no value",
        "\\n",
        "DEL",
        "format",
    ],
)
def test_status_details_out_of_limits_are_rejected(agent: Agent, details: dict[str, str]) -> None:
    job = agent.queue("job")
    answer = agent.ask(
        f"{job}/update", status="IN_PROGRESS", statusDetails=details, clientToken="t"
    )
    assert (answer["accepted"], answer["code"], answer["clientToken"]) == (
        False,
        "InvalidRequest",
        "t",
    )
    assert agent.ask("start-next", statusDetails=details)["code"] == "InvalidRequest"
    assert agent.ask("$next/get")["execution"]["status"] == "QUEUED"


def test_status_details_at_their_limits_are_accepted(agent: Agent) -> None:
    job = agent.queue("job")
    details = {f"{number}:_-" + "k" * 124: "ü" * 1024 for number in range(10)}
    agent.ask(f"{job}/update", status="IN_PROGRESS", statusDetails=details)
    assert agent.ask(f"{job}/get")["execution"]["statusDetails"] == details


def test_an_in_progress_time_out_expires_by_itself(agent: Agent, registry: Registry) -> None:
    job = agent.queue("job", timeoutConfig={"inProgressTimeoutInMinutes": 1})
    other = agent.queue("other")
    execution = agent.ask("start-next")["execution"]
    assert execution["approximateSecondsBeforeTimedOut"] <= 1
    event = agent.next_event("notify")
    assert [entry["jobId"] for entry in event["jobs"]["QUEUED"]] == [other]
    assert agent.next_event("notify-next")["execution"]["jobId"] == other
    assert _status(registry, agent, job) == "TIMED_OUT"
    late = agent.ask(f"{job}/update", status="SUCCEEDED")
    assert late["code"] == "InvalidStateTransition"
    assert late["executionState"]["status"] == "TIMED_OUT"


def test_a_job_whose_executions_timed_out_is_completed(agent: Agent, registry: Registry) -> None:
    job = agent.queue("job", timeoutConfig={"inProgressTimeoutInMinutes": 1})
    agent.ask("start-next")
    assert agent.next_event("notify")["jobs"] == {}
    assert "execution" not in agent.next_event("notify-next")
    assert registry.iot.describe_job(jobId=job)["job"]["status"] == "COMPLETED"


def test_a_queued_execution_does_not_time_out(agent: Agent) -> None:
    job = agent.queue("job", timeoutConfig={"inProgressTimeoutInMinutes": 1})
    time.sleep(2 * _MINUTE_S)
    assert agent.events() == []
    assert agent.first() == job


@pytest.mark.parametrize("request_name", ["start-next", "update"])
def test_a_step_time_out_expires_by_itself(
    agent: Agent, registry: Registry, request_name: str
) -> None:
    job = agent.queue("job")
    if request_name == "update":
        agent.ask(f"{job}/update", status="IN_PROGRESS", stepTimeoutInMinutes=1)
    else:
        answer = agent.ask("start-next", stepTimeoutInMinutes=1)
        assert answer["execution"]["approximateSecondsBeforeTimedOut"] <= 1
    assert agent.next_event("notify")["jobs"] == {}
    assert _status(registry, agent, job) == "TIMED_OUT"


def test_a_step_time_out_over_http_expires(agent: Agent, registry: Registry) -> None:
    job = agent.queue("job")
    _http(registry).start_next_pending_job_execution(thingName=agent.name, stepTimeoutInMinutes=1)
    assert agent.next_event("notify")["jobs"] == {}
    assert _status(registry, agent, job) == "TIMED_OUT"


def test_a_step_time_out_can_be_renewed_and_cancelled(agent: Agent) -> None:
    job = agent.queue("job")
    left = "approximateSecondsBeforeTimedOut"
    assert agent.ask("start-next", stepTimeoutInMinutes=2)["execution"][left] == 0
    agent.ask(f"{job}/update", status="IN_PROGRESS", stepTimeoutInMinutes=10080)
    execution = agent.ask(f"{job}/get")["execution"]
    assert 10080 * _MINUTE_S - 60 < execution[left] <= 10080 * _MINUTE_S
    agent.ask(f"{job}/update", status="IN_PROGRESS", stepTimeoutInMinutes=-1)
    assert left not in agent.ask(f"{job}/get")["execution"]
    time.sleep(2.5 * _MINUTE_S)
    assert agent.events() == []
    assert agent.ask(f"{job}/update", status="SUCCEEDED")["accepted"]


def test_an_update_without_step_time_out_does_not_renew_it(agent: Agent) -> None:
    job = agent.queue("job")
    agent.ask("start-next", stepTimeoutInMinutes=1)
    deadline = time.monotonic() + 30
    while agent.ask(f"{job}/update", status="IN_PROGRESS")["accepted"]:
        assert time.monotonic() < deadline


def test_a_step_time_out_does_not_outlast_the_in_progress_one(
    agent: Agent, registry: Registry
) -> None:
    job = agent.queue("job", timeoutConfig={"inProgressTimeoutInMinutes": 1})
    agent.ask("start-next", stepTimeoutInMinutes=10080)
    assert agent.next_event("notify")["jobs"] == {}
    assert _status(registry, agent, job) == "TIMED_OUT"


@pytest.mark.parametrize("step", [0, -2, 10081, "1", 1.5, True])
def test_a_wrong_step_time_out_is_rejected(agent: Agent, step: Any) -> None:
    job = agent.queue("job")
    assert agent.ask("start-next", stepTimeoutInMinutes=step)["code"] == "InvalidRequest"
    answer = agent.ask(f"{job}/update", status="IN_PROGRESS", stepTimeoutInMinutes=step)
    assert answer["code"] == "InvalidRequest"
    assert agent.ask("$next/get")["execution"]["status"] == "QUEUED"


def test_a_rollout_notifies_its_next_thing_a_minute_later_and_is_saved(
    agent: Agent, registry: Registry
) -> None:
    registry.device(f"rollout-{agent.name}")
    job = f"job-{agent.name}"
    began = time.monotonic()
    registry.job(
        job,
        f"rollout-{agent.name}",
        agent.name,
        jobExecutionsRolloutConfig={"maximumPerMinute": 1},
    )
    state = Path(registry.running.state_dir) / "iot.json"
    key = repr((agent.name, job))
    early = agent.events() or key in state.read_text()
    assert not early or time.monotonic() - began >= _MINUTE_S  # on a busy machine
    assert agent.next_event("notify")["jobs"]["QUEUED"][0]["jobId"] == job
    assert time.monotonic() - began >= _MINUTE_S
    deadline = time.monotonic() + 30  # it takes a second at most, on an idle machine
    while key not in state.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _http(registry: Registry) -> Any:
    return boto3.client(
        "iot-jobs-data",
        endpoint_url=registry.running.endpoint_url,
        region_name=registry.running.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _status(registry: Registry, agent: Agent, job: str) -> str:
    answer = registry.iot.describe_job_execution(jobId=job, thingName=agent.name)
    return str(answer["execution"]["status"])
