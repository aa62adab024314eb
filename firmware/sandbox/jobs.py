"""The Jobs client: four requests and two event streams over the link, and the cached set of
incomplete executions.

A request carries a clientToken; the service's accepted or rejected answer, matched by it,
acknowledges the request. An answer that nobody waits for (late, doubled, another's) is dropped.
The cache is read once after each connect and kept up to date by the events and by the answers to
our own requests. Sources: AWS IoT developer guide, "Jobs device MQTT API", "Jobs workflow".
"""

import asyncio
import json
import os
import time

from micropython import const

from .errors import JobsError, LinkError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .link import Link
    from .log import Log

_ANSWER_MS = const(10_000)
_LISTED = const(10)
_LONGEST_EVENT = const(1536)  # a larger one is shown without its document, for want of memory
_EVENT_ROOM = const(2048)  # bytes of those that wait to be shown
TOO_LARGE = "DocumentTooLarge"
FULL = "FlashFull"


class Jobs:
    """Requests return the service's answer as a dict and raise JobsError when it is refused or
    does not come. `on_change(certain)` is called, and must not block, whenever the set of
    incomplete executions may have changed; `certain` says whether `pending` has the change.
    `on_event()` is called when there is one more of `events`.
    """

    on_change: "Callable[[bool], None]"
    on_event: "Callable[[], None]"

    def __init__(self, link: "Link", log: "Log") -> None:
        # job id → status, in no order. The service lists at most ten: of a longer set some are
        # missing here, so that a job not found here may still be there.
        self.pending: dict[str, str] = {}
        self.complete = False  # the service has told it so, and no other since
        self.whole = False  # whether long documents are to come with their steps: see `split`
        self._link = link
        self._log = log
        self._waiting: dict[str, _Request] = {}
        # of a random UUID (RFC 9562, version 4), as the sample uses; a count follows
        text = os.urandom(9).hex()
        self._token = "%s-%s-4%s-9%s-" % (text[:8], text[8:12], text[12:15], text[15:])
        self._count = 0
        # that wait to be shown: names, JobExecutionsChanged or NextJobExecutionChanged, and the
        # events as JSON, which takes less memory than the objects
        self.events: "list[tuple[str, str]]" = []
        link.on_message = self._on_message
        link.on_oversized = self._on_oversized
        link.on_closed = self._on_closed
        link.on_glance = self._on_glance

    async def get_pending(self) -> dict:
        """GetPendingJobExecutions: {inProgressJobs, queuedJobs, timestamp, clientToken}."""
        return await self._request("get", {})

    async def start_next(self, **members: "Any") -> dict:
        """StartNextPendingJobExecution: {execution, timestamp, clientToken}.

        `execution` is absent when there is none. Members: statusDetails, stepTimeoutInMinutes.
        Raises JobsError TOO_LARGE when the answer cannot be held.
        """
        return await self._request("start-next", members)

    async def describe(self, job_id: str, **members: "Any") -> dict:
        """DescribeJobExecution of a job id or `$next`: {execution, timestamp, clientToken}.

        Members: executionNumber, includeJobDocument. Raises JobsError TOO_LARGE when the answer
        cannot be held.
        """
        return await self._request(job_id + "/get", members)

    async def update(self, job_id: str, status: str, **members: "Any") -> dict:
        """UpdateJobExecution: {timestamp, clientToken} and what the members ask for.

        Members: statusDetails, expectedVersion, executionNumber, includeJobExecutionState,
        includeJobDocument, stepTimeoutInMinutes.
        """
        members["status"] = status
        return await self._request(job_id + "/update", members)

    async def _request(self, tail: str, members: dict) -> dict:
        self._count += 1
        token = members["clientToken"] = "%s%012x" % (self._token, self._count)
        request = self._waiting[token] = _Request(tail, members.get("status"))
        try:
            self._link.publish(tail, _dump(members).encode())
            await request.answered.wait()
        except LinkError:
            raise JobsError("Offline", "the link is down")
        finally:
            del self._waiting[token]
        if isinstance(request.answer, JobsError):
            raise request.answer
        return request.answer

    def _on_glance(self) -> None:
        for request in self._waiting.values():
            if time.ticks_diff(time.ticks_ms(), request.since) >= _ANSWER_MS:
                request.end(JobsError("Timeout", "no answer in %d ms" % _ANSWER_MS))
                self._link.check()

    def _on_message(self, tail: str, payload: "Any") -> None:
        base, _, outcome = tail.rpartition("/")
        stored = hasattr(payload, "read")
        try:
            if not stored:
                message = json.loads(payload)
            elif self.whole:
                message = json.load(payload)
            else:
                message = borrow("split").load(payload, base)
        except (MemoryError, OSError) as error:
            self._on_oversized(tail, isinstance(error, OSError))
            return
        except (ValueError, RuntimeError):  # not JSON, or nested too deep
            message = None
        if not _is_sound(message):
            self._log.warning("jobs", "%s: not what the service sends, dropped", tail)
        elif base:
            self._on_answer(base, outcome, message)
        elif tail == "notify":
            jobs = message.get("jobs") or {}
            self._replace(jobs.get("IN_PROGRESS"), jobs.get("QUEUED"))
            self._emit("JobExecutionsChanged", message)
        elif tail == "notify-next":
            execution = message.get("execution")
            if execution:
                self.pending[execution["jobId"]] = str(execution.get("status", "QUEUED"))
            if execution and (stored or len(payload) > _LONGEST_EVENT):
                execution.pop("jobDocument", None)
            self._emit("NextJobExecutionChanged", message)
            self.on_change(True)

    def _emit(self, name: str, event: dict) -> None:
        # For a person to see: the jobs and the link must not suffer when there is no room for it
        try:
            self.events.append((name, _dump(event)))
        except (MemoryError, RuntimeError):
            event.clear()
            self.events[:] = [(name, "{}")]
        while len(self.events) > 1 and sum(len(each[1]) for each in self.events) > _EVENT_ROOM:
            self.events.pop(0)
        self.on_event()

    def _on_answer(self, base: str, outcome: str, message: dict) -> None:
        request = self._find(base, message.get("clientToken"))
        if request is None:
            self._log.debug("jobs", "%s: nobody waits for the answer", base)
        elif outcome == "rejected":
            code, text = message.get("code", ""), message.get("message", "")
            request.end(JobsError(code, text, message.get("executionState")))
        else:
            if not message.get("execution", True):
                del message["execution"]  # there is none
            if not request.answered.is_set():
                self._learn(request, message)
            request.end(message)

    def _learn(self, request: "_Request", answer: dict) -> None:
        # What an answer says of the set; at once, since what comes behind it knows better
        job_id, _, operation = request.tail.rpartition("/")
        if request.tail == "get":
            self._replace(answer.get("inProgressJobs"), answer.get("queuedJobs"))
        elif operation == "start-next":
            if "execution" in answer:
                self.pending[answer["execution"]["jobId"]] = "IN_PROGRESS"
        elif request.status == "IN_PROGRESS":
            self.pending[job_id] = request.status
        elif request.status and self.pending.pop(job_id, None):
            self.complete = False

    def _on_oversized(self, tail: str, full: bool = False) -> None:
        base = tail.rpartition("/")[0]
        request = self._find(base, None)
        if request:
            if full:
                request.end(JobsError(FULL, "the flash has no room for its document"))
            else:
                request.end(JobsError(TOO_LARGE, "it is more than this board can hold"))
        elif not base:
            self.complete = False
            self.on_change(False)

    def _on_closed(self) -> None:
        self.complete = False
        for request in self._waiting.values():
            request.end(JobsError("Offline", "the connection ended"))

    def _find(self, base: str, token: "Any") -> "_Request | None":
        # A rejection of what the service could not parse has no clientToken: the topic tells whose
        if token:
            return self._waiting.get(token) if isinstance(token, str) else None
        for request in self._waiting.values():
            if request.tail == base:
                return request
        return None

    def _replace(self, in_progress: "list[dict] | None", queued: "list[dict] | None") -> None:
        self.pending = {}
        for summary in in_progress or ():
            self.pending[summary["jobId"]] = "IN_PROGRESS"
        for summary in queued or ():
            self.pending[summary["jobId"]] = "QUEUED"
        self.complete = len(self.pending) < _LISTED
        self.on_change(True)


class _Request:
    def __init__(self, tail: str, status: "str | None" = None) -> None:
        self.tail = tail
        self.status = status
        self.since: "Any" = time.ticks_ms()
        self.answered = asyncio.Event()
        self.answer: "dict | JobsError" = {}

    def end(self, answer: "dict | JobsError") -> None:
        if not self.answered.is_set():
            self.answer = answer
            self.answered.set()


def _dump(value: dict) -> str:
    return json.dumps(value, separators=(",", ":"))


def _is_sound(message: "Any") -> bool:
    # Whether the members that are looked into here are of the types that the service sends
    try:
        message.get("executionState", message).get("status")
        jobs = message.get("jobs", message)
        named = [message["execution"]] if message.get("execution") else []
        for holder, name in (
            (message, "inProgressJobs"),
            (message, "queuedJobs"),
            (jobs, "IN_PROGRESS"),
            (jobs, "QUEUED"),
        ):
            named += holder.get(name, ())
        return all(isinstance(each["jobId"], str) for each in named)
    except (AttributeError, KeyError, TypeError):
        return False
