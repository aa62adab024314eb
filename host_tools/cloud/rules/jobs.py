"""AWS IoT Jobs, as far as the order of executions and what a device may report are concerned."""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from typing import Any

from host_tools.cloud.rules.context import Context
from host_tools.cloud.rules.seam import need, replace, take

_LISTED = 10
_DETAILS, _KEY, _VALUE = 10, re.compile(r"[a-zA-Z0-9:_-]{1,128}"), 1024
_ORDER = {"IN_PROGRESS": 0, "QUEUED": 1}


def in_progress_first(context: Context) -> None:
    """List executions IN_PROGRESS before QUEUED, each in the order they were queued, 10 at most.

    AWS: StartNextPendingJobExecution, "executions with status IN_PROGRESS are returned first", and
    the developer guide, "Job limits": 10 executions in a notification or a list. MiniStack knows
    only the queueing order, and lists all.
    """
    rule = "IN_PROGRESS first, 10 listed"
    pending = take(rule, context.iot, "jobs_pending_for_thing", ("thing_name",))

    def pending_for_thing(thing: str) -> list[dict[str, Any]]:
        return sorted(pending(thing), key=_place)[:_LISTED]

    replace(context.iot, "jobs_pending_for_thing", pending_for_thing)


def _place(execution: dict[str, Any]) -> tuple[int, int]:
    return _ORDER[execution["status"]], execution["queuedAt"]


def overtaking_is_notified(context: Context) -> None:
    """Publish notify-next when a job overtakes the first one by going IN_PROGRESS.

    AWS: developer guide, "Jobs notifications": NextJobExecutionChanged is sent when the first
    execution in the list changes, also because another became IN_PROGRESS. MiniStack sends it for
    additions and removals only. Both ways to update come through here, MQTT and HTTP.
    """
    rule = "overtaking is notified"
    iot = context.iot
    update = take(rule, iot, "jobs_update_execution")
    take(rule, iot, "jobs_first_pending_job_id", ("thing_name",))
    need(rule, iot, "get_account_id", "get_region", "request_scope", "broker_publish")
    need(rule, iot, "_jobs_mqtt_execution", "_jobs_job_document_object", "_jobs_mqtt_json")
    running: set[asyncio.Task[None]] = set()

    def update_execution(thing: str, job: str, **members: Any) -> Any:
        first = iot.jobs_first_pending_job_id(thing)
        execution, error = update(thing, job, **members)
        overtook = not error and execution["status"] == "IN_PROGRESS"
        if overtook and iot.jobs_first_pending_job_id(thing) != first:
            notice = _notify_next(iot, iot.get_account_id(), iot.get_region(), thing)
            task = asyncio.get_running_loop().create_task(notice)  # after the answer to the update
            running.add(task)
            task.add_done_callback(running.discard)
        return execution, error

    replace(iot, "jobs_update_execution", update_execution)


async def _notify_next(iot: Any, account: str, region: str, thing: str) -> None:
    with iot.request_scope(account, region):
        first = iot.jobs_start_next_execution(thing, peek=True)
        if first is None:
            return
        view = iot._jobs_mqtt_execution(first, iot._jobs_job_document_object(first["jobId"]))
    message = iot._jobs_mqtt_json({"timestamp": int(time.time()), "execution": view})
    topic = f"$aws/things/{thing}/jobs/notify-next"
    await iot.broker_publish(account, region, topic, message.encode(), qos=1)


def status_details_limits(context: Context) -> None:
    """Reject statusDetails of more than 10 pairs, or with a key or value out of its limits.

    AWS: iot-jobs-data API, DetailsMap: key `[a-zA-Z0-9:_-]{1,128}`, value of 1 to 1024 characters
    none of which is a control character (`[^\\p{C}]+`); at most 10 pairs (CancelJobExecution,
    statusDetails). MiniStack checks only that they are strings.
    """
    rule = "statusDetails limits"
    check = take(rule, context.iot, "_jobs_status_details_error", ("status_details",))
    need(rule, context.iot, "error_response_json")

    def status_details_error(details: Any) -> Any:
        error = check(details)
        if error or details is None or (problem := _problem(details)) is None:
            return error
        return context.iot.error_response_json("InvalidRequestException", problem, 400)

    replace(context.iot, "_jobs_status_details_error", status_details_error)


def _problem(details: dict[str, str]) -> str | None:
    if len(details) > _DETAILS:
        return f"statusDetails has {len(details)} pairs, at most {_DETAILS} are allowed"
    for key, value in details.items():
        if not _KEY.fullmatch(key):
            return "A statusDetails key must match [a-zA-Z0-9:_-]{1,128}"
        if len(value) > _VALUE:
            return f"A statusDetails value must have at most {_VALUE} characters"
        if any(unicodedata.category(character).startswith("C") for character in value):
            return "A statusDetails value must not contain control characters"
    return None


def rollouts_run_by_the_minute(context: Context) -> None:
    """Release a rollout's next batch after a minute of `Settings.minute_s`, and save what it
    queues.

    AWS: developer guide, "Job configurations": maximumPerMinute. MiniStack's minute is fixed; no
    request accompanies the batch, which is what else makes the state be saved.
    """
    rule = "rollouts run by the minute"
    take(rule, context.iot, "_JOB_ROLLOUT_INTERVAL_MS")
    queue = take(rule, context.iot, "_jobs_queue_execution", ("thing", "job_id", "now"))

    def queue_execution(thing: str, job: str, now: int) -> None:
        context.touch()
        queue(thing, job, now)

    replace(context.iot, "_jobs_queue_execution", queue_execution)
    replace(context.iot, "_JOB_ROLLOUT_INTERVAL_MS", int(context.settings.minute_s * 1000))
