"""The loop that runs jobs, one at a time: what is in the journal first, then the next one.

An interrupted execution is gone on with, a final status is delivered until the service has
accepted or definitively refused it. Only then a new job is started, if the executor is on. What a
job needs is loaded while it needs it: `plan`, `arguments`, `work`, `steps`, `delivery`, one after
the other.
"""

import asyncio

from micropython import const

from .errors import JobFailed, JobsError
from .jobs import FULL, TOO_LARGE
from .lazy import borrow, relax, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable, Coroutine

    from .board import Board
    from .config import Config
    from .jobs import Jobs
    from .journal import Journal
    from .link import Link
    from .log import Log
    from .station import Station

# Sent to the service, so that a board that dies does not block its queue for ever
_STEP_TIMEOUT_MIN = const(10)
_RETRY_FIRST_S = const(2)
_RETRY_LAST_S = const(60)
_LOOK_S = const(60)
_GLANCE_MS = const(100)
_MISSES = const(3)
_MOST_CROWDED = const(4)
_LOOKS, _LOOK_MS = const(50), const(20)  # for the `notify` that follows the end of a job


class Executor:
    """The loop and what it and operations work with. `shut_down()` is awaited before a reset."""

    def __init__(
        self,
        jobs: "Jobs",
        link: "Link",
        board: "Board",
        journal: "Journal",
        log: "Log",
        enabled: bool,
        shut_down: "Callable[[], Awaitable]",
        config: "Config",
        network: "Station",
    ) -> None:
        self.jobs = jobs
        self.link = link
        self.board = board
        self.journal = journal
        self.log = log
        self.enabled = enabled
        self.shut_down = shut_down
        self.config = config
        self.network = network
        self.check_cancelled: "Callable[[], Coroutine] | None" = None  # while steps are under way
        self._wake = asyncio.Event()
        self._misses = 0
        self._crowded = 0  # how often a document has found no room, and is asked for again
        self._asked: "Any" = None  # the task that has asked for the next execution
        self._ended: "Any" = None  # the execution whose end was reported before that
        self._retry_s = _RETRY_FIRST_S

    def enable(self, on: bool) -> None:
        """Switch automatic execution on or off; a job under way is finished all the same."""
        self.enabled = on
        self._wake.set()

    def wake(self, certain: bool = False) -> None:
        """Look for work: the link is up, or the set of incomplete executions has changed, which is
        in vain if that is `certain` and the set is empty.
        """
        if self.jobs.pending or not certain:
            self._wake.set()
        if self.check_cancelled and self.journal.entry.get("jobId") not in self.jobs.pending:
            spawn(self.check_cancelled())

    async def run(self) -> None:
        """Work while there is a link, for ever."""
        while True:
            await self.link.online.wait()
            self._wake.clear()
            try:
                if await self._work():  # what is announced does not wait for a notification
                    relax()
                    patience_s = _LOOK_S if self.jobs.pending else None
                    await asyncio.wait_for(self._wake.wait(), patience_s)
                self._retry_s = _RETRY_FIRST_S
            except asyncio.TimeoutError:
                pass
            except JobsError as error:
                if error.code == "Offline":  # the link tells why, and when it is back
                    await asyncio.sleep_ms(_GLANCE_MS)
                    continue
                self.log.warning(
                    "jobs", "%s: %s; again in %d s", error.code, error.message, self._retry_s
                )
                await asyncio.sleep(self._retry_s)
                self._retry_s = min(2 * self._retry_s, _RETRY_LAST_S)

    async def _work(self) -> bool:
        # One round; True = nothing left to do
        if self.journal.entry:
            execution = await borrow("work").resume(self)
            if execution:
                await self._execute(execution)
            return False
        asked, self._asked = self._asked, None
        if not self.enabled and not asked:
            return True
        try:
            answer = await (asked or self._start_next())
            if isinstance(answer, JobsError):
                raise answer
        except JobsError as error:
            if error.code not in (TOO_LARGE, FULL):
                raise
            if error.code == FULL or not await self._has_room_later():
                await borrow("delivery").refuse(self, error)
            return False
        execution = answer.get("execution")
        answer = None  # while the job runs, there is no room to spare
        if not execution:
            return await self._is_really_idle()
        self._misses = 0
        if asked and (
            _key(execution) == self._ended or execution["jobId"] not in self.jobs.pending
        ):
            return False  # the service did not have the report, or it has been cancelled since
        await self._execute(execution)
        return await self._was_the_last()

    async def _execute(self, execution: "dict[str, Any]") -> None:
        # Run an execution that is IN_PROGRESS, and deliver its outcome; if that raises JobsError,
        # the outcome is in the journal
        steps: "Any"
        begun = bool(self.journal.entry)
        result: "dict[str, Any]" = {}
        try:
            steps = borrow("plan").parse(execution, self.board)
            steps = borrow("arguments").check(steps, self.board)
        except Exception as error:
            steps = error
        if isinstance(steps, MemoryError) and await self._has_room_later():
            return
        self._crowded = 0
        try:
            failure = steps
            if not isinstance(steps, Exception):
                failure = borrow("work").begin(self, execution)
            if not failure:
                failure, result = await borrow("steps").run(self, steps)
        except MemoryError:
            failure = JobFailed("OUT_OF_MEMORY", "the heap has no room")
        steps = None  # what is reported needs the memory, also that of the tasks that end now
        await asyncio.sleep_ms(0)
        if failure and failure.args[2:] == ("CANCELED",):
            borrow("delivery").drop(self, *failure.args[:2])
            return
        status = borrow("endings").judge(failure, begun, result) if failure else "SUCCEEDED"
        report = borrow("delivery").finish(self, execution, status, result)
        if self.enabled and len(self.jobs.pending) > 1:
            # the next one is asked for without waiting for the answer to the report
            self._ended = _key(execution)
            self._asked = asyncio.create_task(self._ask_ahead())
        try:
            await report
        except BaseException:
            self._asked = None  # whatever comes, it is asked again
            raise

    def _start_next(self) -> "Coroutine":
        return self.jobs.start_next(stepTimeoutInMinutes=_STEP_TIMEOUT_MIN)

    async def _ask_ahead(self) -> "dict | JobsError":
        try:
            return await self._start_next()
        except JobsError as error:
            return error
        except MemoryError:
            return {}  # as if there were none: it is asked again

    async def _has_room_later(self) -> bool:
        # For a document: what is shown and told beside it may have taken the room; it goes again
        self._crowded = (self._crowded + 1) % _MOST_CROWDED
        if self._crowded:
            await asyncio.sleep(1)
        return self._crowded > 0

    async def _is_really_idle(self) -> bool:
        # The service is eventually consistent: what `notify` announced may not be startable yet
        if not self.jobs.pending or self._misses >= _MISSES:
            self._misses = 0
            return True
        self._misses += 1
        await asyncio.sleep(self._misses)
        return False

    async def _was_the_last(self) -> bool:
        # Whether a job that has ended was; `notify` tells it soon, or the service is to be asked
        for _ in range(_LOOKS):
            if self.jobs.pending:
                break
            if self.jobs.complete:
                self._wake.clear()  # it was for that job
                return True
            await asyncio.sleep_ms(_LOOK_MS)
        return False


def _key(execution: "dict[str, Any]") -> tuple:
    return execution["jobId"], execution.get("executionNumber")
