"""Watches a job: the cloud's status, the board's log and its pins, on one clock."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from host_tools import hold_ups, jobs
from host_tools.board import edges
from host_tools.cloud.access import Cloud
from host_tools.cloud.aws_errors import TryLaterError
from host_tools.console import Session
from host_tools.console.protocol import Line
from host_tools.console.session import AtReplError
from host_tools.errors import ToolError
from host_tools.output import time_of_day
from host_tools.target import Target

_POLL_S = 0.2
_ASK_S = 2.0
_SETTLE_S = 0.3  # what the board still says when the cloud has the outcome


@dataclass(frozen=True)
class Moment:
    """Something that happened: when (Unix seconds), where (cloud, board, pin), and what."""

    t: float
    where: str
    what: str

    def __str__(self) -> str:
        return f"{time_of_day(self.t)}  {self.where:<5}  {self.what}"


@contextlib.contextmanager
def listening(
    target: Target | None, names: dict[int, str], note: Callable[[str], None]
) -> Iterator[queue.Queue[Moment]]:
    """Collect what board and pins do inside the block; without a board, nothing."""
    moments: queue.Queue[Moment] = queue.Queue()
    with contextlib.ExitStack() as stack:
        if target is not None:
            _listen_to_log(target, moments, note, stack)
            _listen_to_pins(target, names, moments, stack)
        yield moments


@dataclass(frozen=True)
class Watched:
    """The job to watch. `again` is the command that does so, `cancel` the one that ends it."""

    cloud: Cloud
    job_id: str
    again: str
    cancel: str


def watch(
    job: Watched,
    moments: queue.Queue[Moment],
    show: Callable[[Moment], None],
    note: Callable[[str], None],
    timeout_s: float,
) -> dict[str, dict[str, Any]]:
    """Show what happens until every execution has ended; return them by thing, with details.

    A cloud that does not answer is asked again, which is told once. Raises ToolError after the
    time-out, or if there is no such job.
    """
    end = time.monotonic() + timeout_s
    seen: dict[str, dict[str, Any]] = {}
    silence: TryLaterError | None = None
    while True:
        try:
            ended = _look(job, seen, moments)
            silence = None
        except TryLaterError as error:
            if silence is None:
                note(f"{error.message}; asking again, for at most {timeout_s:g} s")
            ended, silence = False, error
        _drain(moments, show, _SETTLE_S if ended else _POLL_S)
        if ended:
            return seen
        if time.monotonic() > end:
            raise _over(job, silence, timeout_s)


def _over(job: Watched, silence: ToolError | None, timeout_s: float) -> ToolError:
    if silence is not None:
        return ToolError(
            f"{silence.message}; {job.job_id} goes on",
            f"`jobs-sandbox cloud status`, then {job.again}",
        )
    return ToolError(
        f"{job.job_id} has not ended within {timeout_s:g} s",
        f"{job.again} watches on, {job.cancel} ends it; is the executor on (`status`)?",
    )


def _look(job: Watched, seen: dict[str, dict[str, Any]], moments: queue.Queue[Moment]) -> bool:
    # whether every execution has ended; `seen`: thing → the last that was seen of its execution
    found = jobs.executions(job.cloud, job.job_id)
    for thing, summary in found.items():
        state = {"status": summary["status"], "statusDetails": {}}
        if summary["status"] != "QUEUED":
            state = jobs.execution(job.cloud, job.job_id, thing)
        if _words(state) != _words(seen.get(thing)):
            moments.put(Moment(time.time(), "cloud", f"{thing} {_words(state)}"))
        seen[thing] = state
    return bool(found) and all(seen[thing]["status"] in jobs.ENDED for thing in found)


def _words(state: dict[str, Any] | None) -> str:
    if state is None:
        return ""
    details = (f"{name}={value}" for name, value in sorted(state["statusDetails"].items()))
    return " ".join([state["status"], *details])


def _drain(moments: queue.Queue[Moment], show: Callable[[Moment], None], wait_s: float) -> None:
    # What comes within `wait_s`, in the order in which it happened
    until = time.monotonic() + wait_s
    found = []
    while (left := until - time.monotonic()) > 0:
        with contextlib.suppress(queue.Empty):
            found.append(moments.get(timeout=left))
    for moment in sorted(found, key=lambda each: each.t):
        show(moment)


def _listen_to_log(
    target: Target,
    moments: queue.Queue[Moment],
    note: Callable[[str], None],
    stack: contextlib.ExitStack,
) -> None:
    def show(line: Line) -> None:
        if line.log_level:
            moments.put(Moment(time.time(), "board", line.text))

    try:
        with contextlib.ExitStack() as opened:  # let go at once if there is no sandbox
            session = opened.enter_context(Session(target, show, note))
            session.open(may_start=lambda: False)
            stack.push(opened.pop_all())
        _tell_what_holds_jobs_up(session, target, note)
    except AtReplError as error:
        note(f"{error.message}: nothing there runs the job until the sandbox is started,")
        note(f"  from another terminal: {error.hint}")
    except ToolError as error:
        note(f"without the board's log: {error.message}")


def _tell_what_holds_jobs_up(
    session: Session, target: Target, note: Callable[[str], None]
) -> None:
    status = {}
    with contextlib.suppress(ToolError):  # it is busy, or restarts: that will be seen
        status = hold_ups.parse(session.command("status", _ASK_S).lines)
    off, remedy = hold_ups.executor(target, status)
    if off:
        note(f"{off}\n  try: Ctrl-C here, then {remedy}")
    if unreachable := hold_ups.link(status):
        note(unreachable)


def _listen_to_pins(
    target: Target,
    names: dict[int, str],
    moments: queue.Queue[Moment],
    stack: contextlib.ExitStack,
) -> None:
    board = target.board
    if board is None:
        return  # nobody sees the pins of a real board
    ended = threading.Event()

    def follow() -> None:
        for edge in edges.follow(board.files, past=False, until=ended.is_set):
            name = names.get(edge["pin"], f"GPIO{edge['pin']}")
            more = f" {round(edge['duty_u16'] / 655.35)} %" if edge["value"] == "pwm" else ""
            more += f" {edge['data']}" if edge["value"] == "rgb" else ""
            moments.put(Moment(edge["t"], "pin", f"{name} {edge['value']}{more}"))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(ended.set)
