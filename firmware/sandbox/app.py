"""The application: makes the parts, joins them, and keeps them running."""

import asyncio
import gc
import sys
import time

from micropython import const

from .console import Console
from .errors import ConfigError, JobsError
from .executor import Executor
from .jobs import Jobs
from .journal import Journal
from .lazy import borrow, spawn
from .link import Link
from .log import Log
from .station import Station

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable

    from .board import Board
    from .config import Config

_LONG_S = const(300)
_REPL = const("this is the MicroPython REPL, Ctrl-D starts the sandbox again")


class App:
    """Everything, wired: console and executor use jobs, jobs use the link."""

    def __init__(
        self, config: "Config", board: "Board", context: "Any", built: int, log: Log
    ) -> None:
        self.config = config
        self.board = board
        self.log = log
        self.left = asyncio.Event()  # set to end `run`
        self.network = Station(config, built, log)
        self.link = Link(config, context, self.network.up, log)
        self.jobs = Jobs(self.link, log)
        self.executor = Executor(
            self.jobs,
            self.link,
            board,
            Journal(log),
            log,
            config.executor,
            self.link.disconnect,
            config,
            self.network,
        )
        self._console = Console(asyncio.StreamReader(sys.stdin.buffer), self)
        self.link.on_online = self._on_online
        self.jobs.on_change = self.executor.wake

    async def run(self) -> None:
        """Run until the console is quit."""
        self.log.write = self._console.write
        spawn(borrow("trial").watch(self))
        tasks: "list[Any]" = [
            self._part("link", self.link.run),
            self._part("executor", self.executor.run),
            self._part("typing", self._console.read),
            self._part("console", self._console.work),
            self._part("events", self._show_events),
            self._part("watchdog", self._watch),
        ]
        try:
            await self.left.wait()
            await self.link.disconnect()
            for task in tasks:
                task.cancel()
        finally:
            self.link.close()
            self.log.write = print

    def _on_online(self) -> None:
        asyncio.create_task(self._refresh())
        self.executor.wake()

    async def _refresh(self) -> None:
        # What was missed while offline: notifications are never sent again
        try:
            await self.jobs.get_pending()
        except JobsError as error:
            self.log.warning("jobs", "the pending job executions were not read: %s", error.code)

    async def _show_events(self) -> None:
        while True:
            name, event = await self.jobs.next_event()
            try:
                event = borrow("answers").order(event)
            except (MemoryError, RuntimeError, ValueError):
                pass  # no room, or a number that MicroPython writes and does not read, `inf`
            self._console.write("Received %s event:  %s" % (name, event))

    async def _watch(self) -> None:
        if self.config.watchdog_s:
            self.board.watch(1000 * self.config.watchdog_s)
        while True:
            self.board.feed()
            await asyncio.sleep(max(self.config.watchdog_s // 4, 1))

    def _part(self, name: str, run: "Callable[[], Awaitable]") -> "Any":
        return asyncio.create_task(self._forever(name, run))

    async def _forever(self, name: str, run: "Callable[[], Awaitable]") -> None:
        # A part that fails by a fault of ours is begun again, ever more slowly while it fails at
        # once; the others go on
        pause_s = 1
        while True:
            began = time.time()
            try:
                await run()
            except Exception as error:
                if time.time() - began > _LONG_S:
                    pause_s = 1
                sys.print_exception(error)
                self.log.error("app", "%s failed, it is begun again in %d s", name, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 60)


def run() -> None:
    """Start the application; return, to the REPL, when it is quit, interrupted or cannot start."""
    log = Log()
    board = None
    try:
        config, board, context, built = borrow("setup").load(log)
        log.level = config.log
        print("Jobs Sandbox on %s, thing %s. Type help." % (board.name, config.thing))
        app = App(config, board, context, built, log)
        gc.collect()
        asyncio.run(app.run())
        print("quit: disconnected;", _REPL)
    except (ConfigError, OSError) as error:
        log.error("app", "%s", error)
    except KeyboardInterrupt:
        print("\ninterrupted;", _REPL)
    finally:
        if board:
            board.calm()
        asyncio.new_event_loop()
        gc.collect()
