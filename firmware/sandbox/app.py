"""The application: has its parts made and joined (`wiring`), and keeps them running."""

import asyncio
import gc
import sys

from micropython import const

from .errors import ConfigError, JobsError
from .lazy import borrow, spawn
from .log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable

    from .board import Board
    from .config import Config
    from .executor import Executor
    from .jobs import Jobs
    from .link import Link
    from .station import Station

_PERSON = const(b"\x1f")  # what a host sends when it leaves: see `console`
_REPL = const("this is the MicroPython REPL, Ctrl-D starts the sandbox again")


class App:
    """Everything, wired: console and executor use jobs, jobs use the link."""

    network: "Station"
    link: "Link"
    jobs: "Jobs"
    executor: "Executor"

    def __init__(
        self, config: "Config", board: "Board", context: "Any", built: int, log: Log
    ) -> None:
        self.config = config
        self.board = board
        self.log = log
        self.left = asyncio.Event()  # set to end `run`
        self.history: list[str] = []  # what a person has typed on the console
        # by name: the task, and what it runs
        self.parts: "dict[str, tuple[Any, Callable[[], Awaitable]]]" = {}
        self.failures: "dict[str, tuple[int, int]]" = {}  # of parts: see `again`
        self._showing: "Any" = None  # the task that shows events, or did
        borrow("wiring").join(self, context, built)

    async def run(self) -> None:
        """Run until the console is quit."""
        asyncio.get_event_loop().set_exception_handler(self._on_failure)
        spawn(borrow("trial").watch(self))
        try:
            self.begin("link", self.link.run)
            self.begin("executor", self.executor.run)
            self.begin("console", self._talk)
            self.begin("watchdog", self._watch)
            await self.left.wait()
            await self.link.disconnect()
        finally:
            for task, _ in self.parts.values():
                task.cancel()
            self.link.close()
            self.log.write = print

    def begin(self, name: str, run: "Callable[[], Awaitable]") -> None:
        """Start a part, a task that never ends."""
        self.parts[name] = asyncio.create_task(run()), run

    def on_online(self) -> None:
        """Learn what was missed while offline: notifications are never sent again."""
        asyncio.create_task(self._refresh())
        self.executor.wake()

    async def _refresh(self) -> None:
        try:
            await self.jobs.get_pending()
        except JobsError as error:
            self.log.warning("jobs", "the pending job executions were not read: %s", error.code)

    def on_event(self) -> None:
        """Show what has come."""
        if not self._showing or self._showing.done():
            try:
                self._showing = spawn(self._show_events())
            except MemoryError:
                pass  # it is shown with the next one

    async def _show_events(self) -> None:
        while self.jobs.events:
            try:
                await borrow("answers").show(self.jobs, self.log.write)
            except MemoryError:  # then as it came, since those that wait take room from the jobs
                try:
                    self.log.write("Received %s event:  %s" % self.jobs.events[0])
                    self.jobs.events.pop(0)
                except MemoryError:
                    await asyncio.sleep(1)

    async def _talk(self) -> None:
        # The console is loaded when somebody types
        source = asyncio.StreamReader(sys.stdin.buffer)
        while True:
            byte = await source.read(1)
            if not byte or byte == _PERSON:  # the terminal has gone and may come back; a host goes
                await asyncio.sleep_ms(100)
                continue
            await (await self._console()).serve(self, source, byte)

    async def _console(self) -> "Any":
        while True:
            try:
                return borrow("console")
            except MemoryError:
                await asyncio.sleep_ms(500)

    async def _watch(self) -> None:
        if self.config.watchdog_s:
            self.board.watch(1000 * self.config.watchdog_s)
        while True:
            self.board.feed()
            self.log.uptime_ms()  # counts on
            await asyncio.sleep(max(self.config.watchdog_s // 4, 1))

    def _on_failure(self, _loop: "Any", context: "dict[str, Any]") -> None:
        # A task for which nobody waits has failed, by a fault of ours. A part is begun again, the
        # others go on.
        try:
            sys.print_exception(context["exception"])
            for name, (task, run) in self.parts.items():
                if task is context["future"]:
                    spawn(borrow("again").begin(self, name, run))
        except Exception:  # no room, or a flash that does not read
            self.board.reset()  # so that the board is not left without the part


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
        asyncio.new_event_loop().set_exception_handler(None)
        gc.collect()
