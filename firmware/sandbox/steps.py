"""The steps of a job, one after another, and what is told meanwhile. Loaded while they run.

A step is (operation, arguments, flags); they are in a list, or in `records`. A job that takes long
reports IN_PROGRESS with how far it is, at most once in five seconds, and each time renews the
service's step timer.
"""

import asyncio
import time

from micropython import const

from .errors import JobFailed
from .lazy import borrow, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .executor import Executor

# Flags: its failure is no failure; results go into `stdout`
_IGNORE, _OUTPUT = const(1), const(2)
_STEP_TIMEOUT_MIN = const(10)  # what `executor` has set when the job was started
_PACE_S = const(5)
_RETRY_S = const(2)
_MOST_CROWDED = const(5)


async def run(executor: "Executor", steps: "Any") -> "tuple[Exception | None, dict]":
    """Run the steps; return what ended them, None when they are done, and the result."""
    this = Run(executor, steps)
    # in a task of their own, so that a cancelled job can be stopped in their middle
    this.task = spawn(this.work())
    executor.check_cancelled = this.check_cancelled
    failure: Exception
    try:
        return None, await this.task
    except asyncio.CancelledError:
        if not this.cancelled:
            raise
        failure = JobFailed("CANCELED", "stopped by the operator", "CANCELED")
    except Exception as error:
        failure = error
    finally:
        executor.check_cancelled = None
        if this.pacing:
            this.pacing.cancel()
    return failure, dict(this.where(), duration_ms=this.duration_ms())


class Job:
    """What an operation may use: board, link, network, config, log; what it saved before a reset;
    reports; the reset.
    """

    def __init__(self, run: "Run") -> None:
        executor = run.executor
        self.executor = executor
        self.board = executor.board
        self.link = executor.link
        self.network = executor.network
        self.config = executor.config
        self.log = executor.log
        self.saved: "dict[str, Any]" = executor.journal.entry["saved"]
        self.percent = 0
        self._run = run

    def save(self, saved: dict) -> None:
        """Keep `saved` over a reset. Raises JobFailed when the flash takes no more."""
        self.saved = saved
        self._run.record(self._run.at, saved)

    async def report(self, progress: "dict[str, Any]") -> None:
        """Report IN_PROGRESS with `progress` as statusDetails; return when it is accepted.

        Raises JobFailed, CANCELED when the execution has ended meanwhile.
        """
        for crowded in range(_MOST_CROWDED, -1, -1):
            try:
                await borrow("progress").report(self._run, progress)
                return
            except MemoryError:  # what is shown meanwhile goes again
                if not crowded:
                    raise
            await asyncio.sleep(_RETRY_S)

    async def restart(self, soft: bool = False) -> None:
        """Disconnect and reset the chip, or only MicroPython."""
        await self.executor.shut_down()
        self.board.reset(soft)


class Run:
    """One run of a job's steps. `quiet`: there is nobody to tell of it."""

    def __init__(self, executor: "Executor", steps: "Any", quiet: bool = False) -> None:
        self.executor = executor
        self.steps = steps
        self.quiet = quiet
        self.at = 0  # the step
        self.job: "Job | None" = None
        self.timeout_s = 0
        self._name = ""
        self._began: "Any" = time.ticks_ms()
        self._resumed = executor.journal.entry.get("attempt", 1) > 1
        self.task: "Any" = None
        self.pacing: "Any" = None  # the task that tells how far it is, once it may take long
        self.cancelled = self._checking = False

    async def check_cancelled(self) -> None:
        """Stop the steps if the service says that the execution is no longer IN_PROGRESS."""
        if self.executor.journal.entry and not self._checking:  # many changes, one question
            self._checking = True
            try:
                await borrow("progress").check(self)
            except MemoryError:
                pass  # the next change asks again
            finally:
                self._checking = False

    def stop(self) -> None:
        """Stop the steps, since the execution has ended."""
        self.cancelled = True
        self.task.cancel()

    async def work(self) -> "dict[str, Any]":
        """Run what is left of the steps; return what the last one did. Raises JobFailed."""
        result: "dict[str, Any]" = {}
        journal = self.executor.journal
        first, output = journal.entry["step"], journal.entry.get("out", "")
        ignored = ""
        for number in range(first, len(self.steps)):
            arguments: "Any" = None  # the last one's takes memory, as does what came of it
            result = {}
            self.job = None
            if number > first:
                journal.entry["out"] = output
            name, arguments, flags = await self._enter(number, number > first)
            self.at, self._name = number, name
            try:
                result = await self._act(arguments)
                failure = ""
            except JobFailed as error:
                if not flags & _IGNORE or error.args[2:]:
                    raise
                failure = "%s %s" % error.args
                ignored = "steps[%d]: %s" % (number, failure)
            if flags & _OUTPUT:
                output = borrow("output").extend(output, name, result, failure)
        if output:
            result = {"stdout": output}
        if ignored:
            result["ignored"] = ignored
        if len(self.steps) > 1:
            result["steps"] = len(self.steps)
        return dict(result, code="OK", operation=self._name, duration_ms=self.duration_ms())

    def where(self) -> "dict[str, Any]":
        """Return which step it is, as statusDetails."""
        return {"operation": self._name, "step": self.at + 1, "of": len(self.steps)}

    def duration_ms(self) -> int:
        """Return how long the job has taken, in whole seconds if a reset was in between."""
        entry = self.executor.journal.entry
        if self._resumed and "began" in entry:
            return max(1000 * (int(time.time()) - entry["began"]), 0)
        return time.ticks_diff(time.ticks_ms(), self._began)

    async def pace(self) -> None:
        """Report progress while it changes, for ever; stop the steps if the job is gone."""
        told: "dict[str, Any]" = {}
        while True:
            await asyncio.sleep(_PACE_S)
            try:
                if self.job:
                    told = await borrow("progress").tell(self, told)
            except MemoryError:
                pass  # the next report may find room

    def record(self, step: int, saved: dict) -> None:
        """Write the journal before an effect. Raises JobFailed when the flash takes no more."""
        try:
            self.executor.journal.advance(step, saved)
        except OSError as error:
            raise JobFailed("FLASH_FULL", "the journal cannot be written: %s" % error)

    async def _enter(self, number: int, recorded: bool) -> "tuple[str, dict, int]":
        # Read a step, and have it recorded that it is about to act
        for crowded in range(_MOST_CROWDED, -1, -1):
            try:
                step = self.steps[number]
                if recorded:
                    self.record(number, {})
                return step
            except MemoryError:  # what is shown meanwhile goes again
                if not crowded:
                    raise
            await asyncio.sleep(_RETRY_S)
        raise MemoryError

    async def _act(self, arguments: dict) -> "dict[str, Any]":
        module = "operations." + self._name.replace("-", "_")
        operation = borrow(module)
        limit = operation.TIMEOUT_S
        self.timeout_s = limit(arguments) if callable(limit) else limit
        self.job = Job(self)
        long = max(self.timeout_s, self.duration_ms() // 1000) > _PACE_S
        if long and not self.pacing and not self.quiet:
            self.pacing = spawn(self.pace())
        if self.timeout_s >= 60 * (_STEP_TIMEOUT_MIN - 1):  # the service must not end it before
            operation = limit = None  # there may not be room for it beside the report
            await self.job.report(self.where())
            operation = borrow(module)
        try:
            acting = spawn(operation.run(arguments, self.job))
            return await asyncio.wait_for(acting, self.timeout_s)
        except asyncio.TimeoutError:
            what = (self._name, self.at + 1, self.timeout_s)
            raise JobFailed("STEP_TIMEOUT", "%s, step %d, took over %d s" % what)
