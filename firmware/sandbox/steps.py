"""The steps of a job, one after another, and what is told meanwhile. Loaded while they run.

A step is (operation, arguments, flags); they are in a list, or in `records`. A job that takes long
reports IN_PROGRESS with how far it is, at most once in five seconds, and each time renews the
service's step timer.
"""

import asyncio
import time

from micropython import const

from .errors import JobCancelled, JobFailed
from .lazy import borrow, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .executor import Executor

# Flags: its failure is no failure; results go into `stdout`
IGNORE = const(1)
OUTPUT = const(2)
_STEP_TIMEOUT_MIN = const(10)  # what `executor` has set when the job was started
_PACE_S = const(5)
_RETRY_S = const(2)
_MOST_CROWDED = const(5)
_LONGEST = const(512)


async def run(executor: "Executor", steps: "Any") -> "tuple[Exception | None, dict]":
    """Run the steps; return what ended them, None when they are done, and the result."""
    this = Run(executor, steps)
    try:
        return None, await this.guard()
    except Exception as error:
        return error, dict(this.where(), duration_ms=this.duration_ms())


class Job:
    """What an operation may use: board, link, network, config, log; what it saved before a reset;
    reports; the reset.
    """

    def __init__(self, run: "Run", step: int, saved: dict) -> None:
        executor = run.executor
        self.executor = executor
        self.board = executor.board
        self.link = executor.link
        self.network = executor.network
        self.config = executor.config
        self.log = executor.log
        self.saved = saved
        self.percent = 0
        self._run = run
        self._step = step

    def save(self, saved: dict) -> None:
        """Keep `saved` over a reset. Raises JobFailed when the flash takes no more."""
        self.saved = saved
        self._run.record(self._step, saved)

    async def report(self, progress: "dict[str, Any]") -> None:
        """Report IN_PROGRESS with `progress` as statusDetails; return when it is accepted.

        Raises JobCancelled when the execution has ended meanwhile, JobFailed when it is refused
        for another reason.
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
    """One run of a job's steps."""

    def __init__(self, executor: "Executor", steps: "Any") -> None:
        self.executor = executor
        self._steps = steps
        self._at, self._name = 0, ""
        self._job: "Job | None" = None
        self._timeout_s = 0
        self._began: "Any" = time.ticks_ms()
        self._resumed = executor.journal.entry.get("attempt", 1) > 1
        self._task: "Any" = None
        self._cancelled = self._checking = False

    async def guard(self) -> "dict[str, Any]":
        """Run the steps as a task of their own, so that a cancelled job can be stopped in their
        middle; return what the last one did. Raises JobCancelled and what the steps raise.
        """
        self._task = spawn(self.work())
        pace = spawn(self.pace())
        self.executor.check_cancelled = self.check_cancelled
        try:
            return await self._task
        except asyncio.CancelledError:
            if self._cancelled:
                raise JobCancelled("CANCELED", "stopped by the operator")
            self._task.cancel()
            raise
        finally:
            self.executor.check_cancelled = None
            pace.cancel()

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
        self._cancelled = True
        self._task.cancel()

    async def work(self) -> "dict[str, Any]":
        """Run what is left of the steps; return what the last one did. Raises JobFailed."""
        result: "dict[str, Any]" = {}
        entry = self.executor.journal.entry
        first, saved, output = entry["step"], entry["saved"], entry.get("out", "")
        ignored = ""
        for number in range(first, len(self._steps)):
            arguments: "Any" = None  # the last one's takes memory, as does its result
            result = {}
            if number > first:
                saved = {}
                self.executor.journal.entry["out"] = output
            name, arguments, flags = await self._enter(number, number > first)
            self._at, self._name = number, name
            said = [name, ":"]
            try:
                result = await self._step(name, arguments, saved)
                for each in sorted(result):
                    said += [" ", each, "=", str(result[each])]
            except JobFailed as error:
                if not flags & IGNORE:
                    raise
                said += [" %s %s" % error.args]
                ignored = "steps[%d]:%s" % (number, said[-1])
            if flags & OUTPUT:
                for text in said + [" | "]:  # one by one: together they may be long
                    text = text[-_LONGEST:]
                    output = output[max(len(output) + len(text) - _LONGEST, 0) :] + text
        if output:
            result = {"stdout": output[:-3]}
        if ignored:
            result["ignored"] = ignored
        if len(self._steps) > 1:
            result["steps"] = len(self._steps)
        return dict(result, code="OK", operation=self._name, duration_ms=self.duration_ms())

    def where(self) -> "dict[str, Any]":
        """Return which step it is, as statusDetails."""
        return {"operation": self._name, "step": self._at + 1, "of": len(self._steps)}

    def percent(self) -> int:
        """Return how much of the job is done."""
        step = min(self._job.percent, 99) if self._job else 0
        return (100 * self._at + step) // len(self._steps)

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
                if self._job:
                    told = await borrow("progress").tell(self, told)
            except MemoryError:
                pass  # the next report may find room

    async def tell(self, progress: "dict[str, Any]") -> None:
        """Report IN_PROGRESS, once, and renew the step timer. Raises JobsError."""
        minutes = max(self._timeout_s // 60 + 2, _STEP_TIMEOUT_MIN)
        clean = borrow("details").clean(progress)
        await borrow("updates").update(self.executor, "IN_PROGRESS", clean, minutes)

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
                step = self._steps[number]
                if recorded:
                    self.record(number, {})
                return step
            except MemoryError:  # what is shown meanwhile goes again
                if not crowded:
                    raise
            await asyncio.sleep(_RETRY_S)
        raise MemoryError

    async def _step(self, name: str, arguments: dict, saved: dict) -> "dict[str, Any]":
        operation = borrow("operations." + name.replace("-", "_"))
        limit = operation.TIMEOUT_S
        self._timeout_s = limit(arguments) if callable(limit) else limit
        self._job = job = Job(self, self._at, saved)
        if self._timeout_s >= 60 * (_STEP_TIMEOUT_MIN - 1):  # the service must not end it before
            await job.report(self.where())
        try:
            return await asyncio.wait_for(spawn(operation.run(arguments, job)), self._timeout_s)
        except asyncio.TimeoutError:
            what = (name, self._at + 1, self._timeout_s)
            raise JobFailed("STEP_TIMEOUT", "%s, step %d, took over %d s" % what)
