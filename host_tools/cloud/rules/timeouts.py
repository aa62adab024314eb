"""Jobs time-outs that expire by themselves and tell the device.

AWS: developer guide, "Job configurations", in-progress and step timers. The in-progress timer
starts when an execution goes IN_PROGRESS and cannot be changed by the device. The step timer
starts with the `stepTimeoutInMinutes` of StartNext or Update, each new value replaces it, -1
cancels it, and it never outlasts the in-progress timer. Expiry makes the execution TIMED_OUT, and
the device gets notify and notify-next. MiniStack looks at the time only when an execution is read,
tells nobody, lets the step timer replace the other, and does not take it over MQTT.
"""

from __future__ import annotations

import contextvars
import json
from typing import Any

from host_tools.cloud.rules.context import Context
from host_tools.cloud.rules.seam import need, replace, take

_RULE = "Jobs time-outs"
_CANCEL, _LONGEST = -1, 10080
_UNSET: Any = None
_step: contextvars.ContextVar[Any] = contextvars.ContextVar("stepTimeoutInMinutes", default=_UNSET)


def step_timeout(context: Context) -> None:
    """Take `stepTimeoutInMinutes` in StartNext and Update, over MQTT and HTTP.

    It must be 1 to 10080, or -1 in an update to cancel the timer (iot-jobs-data API); anything
    else is an InvalidRequest.
    """
    _carry_the_request(context)
    _check_the_value(context)
    _start_the_timer(context)


def _carry_the_request(context: Context) -> None:
    # The request's member travels in a context variable to where the execution is changed.
    iot, jobs_data = context.iot, context.jobs_data
    publish = take(
        _RULE,
        iot,
        "_handle_jobs_publish",
        ("account_id", "region", "thing", "verb", "job_id", "payload"),
    )
    start = take(_RULE, jobs_data, "_start_next", ("thing", "payload", "peek"))
    update = take(_RULE, jobs_data, "_update_execution", ("thing", "job_id", "payload"))

    async def handle_jobs_publish(
        account: str, region: str, thing: str, verb: str, job: str | None, payload: bytes
    ) -> None:
        token = _step.set(_member(payload))
        try:
            await publish(account, region, thing, verb, job, payload)
        finally:
            _step.reset(token)

    def start_next(thing: str, payload: dict[str, Any], *, peek: bool) -> Any:
        token = _step.set(payload.get("stepTimeoutInMinutes"))
        try:
            return start(thing, payload, peek=peek)
        finally:
            _step.reset(token)

    async def update_execution(thing: str, job: str, payload: dict[str, Any]) -> Any:
        token = _step.set(payload.get("stepTimeoutInMinutes"))
        try:
            return await update(thing, job, payload)
        finally:
            _step.reset(token)

    replace(iot, "_handle_jobs_publish", handle_jobs_publish)
    replace(jobs_data, "_start_next", start_next)
    replace(jobs_data, "_update_execution", update_execution)


def _member(payload: bytes) -> Any:
    try:
        request = json.loads(payload)
    except (ValueError, RecursionError):
        return _UNSET  # MiniStack will say so
    return request.get("stepTimeoutInMinutes") if isinstance(request, dict) else _UNSET


def _check_the_value(context: Context) -> None:
    # Every StartNext and Update has its statusDetails checked first.
    iot = context.iot
    check = take(_RULE, iot, "_jobs_status_details_error", ("status_details",))

    def status_details_error(details: Any) -> Any:
        step = _step.get()
        valid = (
            isinstance(step, int)
            and not isinstance(step, bool)
            and (1 <= step <= _LONGEST or step == _CANCEL)
        )
        if step is not _UNSET and not valid:
            message = f"stepTimeoutInMinutes must be 1 to {_LONGEST}, or -1 to cancel the timer"
            return iot.error_response_json("InvalidRequestException", message, 400)
        return check(details)

    replace(iot, "_jobs_status_details_error", status_details_error)


def _start_the_timer(context: Context) -> None:
    iot = context.iot
    update = take(_RULE, iot, "jobs_update_execution")
    start = take(_RULE, iot, "jobs_start_next_execution", ("thing_name", "status_details", "peek"))

    def update_execution(thing: str, job: str, **members: Any) -> Any:
        members.pop("step_timeout_minutes", None)
        execution, error = update(thing, job, **members)
        if not error and execution["status"] == "IN_PROGRESS":
            _set_step(iot, thing, job)
        return execution, error

    def start_next(thing: str, *, status_details: Any = None, peek: bool = False) -> Any:
        first = start(thing, peek=True)
        started = start(thing, status_details=status_details, peek=peek)
        if peek or first is None or first["status"] != "QUEUED":
            return started  # unchanged, the request's members are ignored
        _set_step(iot, thing, started["jobId"])
        return dict(iot._job_executions[(thing, started["jobId"])])

    replace(iot, "jobs_update_execution", update_execution)
    replace(iot, "jobs_start_next_execution", start_next)


def _set_step(iot: Any, thing: str, job: str) -> None:
    execution = iot._job_executions[(thing, job)]
    step = _step.get()
    if step == _CANCEL:
        execution.pop("stepTimeoutInMinutes", None)
        execution.pop("timeoutStartedAt", None)
    elif step is not _UNSET:
        execution["stepTimeoutInMinutes"] = step
        execution["timeoutStartedAt"] = iot._jobs_now_ms()


def time_outs_expire(context: Context) -> None:
    """Make overdue executions TIMED_OUT and notify their devices, without waiting for a read.

    A minute lasts `Settings.minute_s` seconds. AWS may be up to a minute late; here it is 0.25 s.
    """
    iot = context.iot
    executions = take(_RULE, iot, "_job_executions")
    minutes = take(_RULE, iot, "_jobs_timeout_minutes", ("execution", "job"))
    take(_RULE, executions, "all_items", ())
    take(_RULE, iot, "_jobs_apply_timeout", ("execution",))
    take(_RULE, iot, "_jobs_seconds_before_timeout", ("execution",))
    take(
        _RULE, iot, "jobs_notify_thing", ("account_id", "region", "thing_name", "prev_next_job_id")
    )
    take(_RULE, iot, "jobs_abort_if_met", ("account_id", "region", "job_id"))
    need(_RULE, iot, "publishing_events", "request_scope", "_jobs", "_jobs_now_ms")
    need(_RULE, iot, "_job_execution_event", "_jobs_maybe_complete", "jobs_first_pending_job_id")

    def milliseconds_left(execution: dict[str, Any]) -> int | None:
        lasts = context.settings.minute_s * 1000
        whole = minutes(
            {**execution, "stepTimeoutInMinutes": None}, iot._jobs.get(execution["jobId"])
        )
        step, began = execution.get("stepTimeoutInMinutes"), execution.get("startedAt")
        ends = [began + whole * lasts] if whole and began else []
        ends += [execution["timeoutStartedAt"] + step * lasts] if step else []
        return int(min(ends)) - iot._jobs_now_ms() if ends else None

    def seconds_before_timeout(execution: dict[str, Any]) -> int | None:
        left = milliseconds_left(execution) if execution.get("status") == "IN_PROGRESS" else None
        return None if left is None else max(0, left // 1000)

    async def sweep_time_outs() -> None:
        for (account, region, _), execution in list(executions.all_items()):
            if execution["status"] != "IN_PROGRESS":
                continue
            with iot.request_scope(account, region):
                left = milliseconds_left(execution)
            if left is not None and left < 0:
                await _time_out(context, account, region, execution)

    replace(iot, "_jobs_apply_timeout", lambda execution: execution)
    replace(iot, "_jobs_seconds_before_timeout", seconds_before_timeout)
    context.sweeps.append(sweep_time_outs)


async def _time_out(
    context: Context, account: str, region: str, execution: dict[str, Any]
) -> None:
    iot, thing, job = context.iot, execution["thingName"], execution["jobId"]
    async with iot.publishing_events():
        with iot.request_scope(account, region):
            first = iot.jobs_first_pending_job_id(thing)
            execution["status"] = "TIMED_OUT"
            execution["lastUpdatedAt"] = iot._jobs_now_ms()
            execution["versionNumber"] += 1
            iot._job_execution_event(execution)
            iot._jobs_maybe_complete(job)
        context.touch()
        await iot.jobs_notify_thing(account, region, thing, first)
        await iot.jobs_abort_if_met(account, region, job)
