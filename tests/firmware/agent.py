"""The real executor on a fake service and a fake board, over the journal in flash."""

import asyncio

from sandbox.executor import Executor
from sandbox.journal import Journal

import flash
from fakes import (
    FakeBoard,
    FakeConfig,
    FakeJobs,
    FakeLink,
    FakeLog,
    FakeNetwork,
    raises_async,
    until,
)


class Agent:
    """One life of the board, from a start to a reset. `restarted()` is the next one."""

    def __init__(self, jobs: FakeJobs, board: "FakeBoard | None" = None, enabled=True) -> None:
        self.jobs = jobs
        self.board = board or FakeBoard()
        self.log = FakeLog()
        self.link = FakeLink()
        self.journal = Journal(self.log)
        self.shut_downs = 0
        self.executor = Executor(
            jobs,
            self.link,
            self.board,
            self.journal,
            self.log,
            enabled,
            self._shut_down,
            FakeConfig(),
            FakeNetwork(),
        )

    async def _shut_down(self) -> None:
        self.shut_downs += 1

    def restarted(self, cause: str = "HARD_RESET") -> "Agent":
        """Start again: only flash, pins' record and the service are what they were."""
        flash.root.mount()
        board = FakeBoard(self.board.boots + 1, cause)
        board.switched = self.board.switched
        return Agent(self.jobs, board)

    async def work(self) -> None:
        """Run until there is nothing left to do."""
        while not await self.executor._work():
            pass

    async def work_in_background(self, condition) -> "asyncio.Task":
        """Run on, and return once `condition()` holds."""
        task = asyncio.create_task(self.executor.run())
        await until(condition)
        return task

    async def work_until_power_is_cut(self) -> None:
        """Run until the board dies (`simulate_power_cut`)."""
        await raises_async(asyncio.CancelledError, self.work())

    def outcome(self) -> tuple:
        """Return (status, statusDetails) of the last update, without how long it took."""
        _, status, members = self.jobs.updates[-1]
        details = dict(members.get("statusDetails", {}))
        assert details.pop("duration_ms", "0").isdigit()
        return status, details
