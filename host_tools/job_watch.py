"""Watches a job: the cloud's status, the board's log and its pins, on one clock."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from host_tools import jobs
from host_tools.board import edges
from host_tools.cloud.access import Cloud
from host_tools.console import Session
from host_tools.console.protocol import Line
from host_tools.console.session import AtReplError
from host_tools.errors import ToolError
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
        clock = time.strftime("%H:%M:%S", time.localtime(self.t)) + f"{self.t % 1:.3f}"[1:]
        return f"{clock}  {self.where:<5}  {self.what}"


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


def watch(
    cloud: Cloud,
    job: jobs.Job,
    moments: queue.Queue[Moment],
    show: Callable[[Moment], None],
    timeout_s: float,
) -> dict[str, dict[str, Any]]:
    """Show what happens until every execution has ended; return them by thing, with details.

    Raises ToolError after the time-out.
    """
    end = time.monotonic() + timeout_s
    seen: dict[str, Any] = {}
    while True:
        found = jobs.executions(cloud, job.job_id)
        for thing, summary in found.items():
            _show_change(cloud, job.job_id, thing, summary, seen, moments)
        ended = found and all(each["status"] in jobs.ENDED for each in found.values())
        _drain(moments, show, _SETTLE_S if ended else _POLL_S)
        if ended:
            return {thing: jobs.execution(cloud, job.job_id, thing) for thing in found}
        if time.monotonic() > end:
            raise ToolError(
                f"{job.job_id} has not ended within {timeout_s:g} s",
                f"`jobs-sandbox job cancel {job.job_id} --force`; is the executor on (`status`)?",
            )


def _show_change(
    cloud: Cloud,
    job_id: str,
    thing: str,
    summary: dict[str, Any],
    seen: dict[str, Any],
    moments: queue.Queue[Moment],
) -> None:
    state: tuple[str, dict[str, str]] = (summary["status"], {})
    if summary["status"] != "QUEUED":
        details = jobs.execution(cloud, job_id, thing)
        state = (details["status"], details["statusDetails"])
    if seen.get(thing) != state:
        seen[thing] = state
        words = " ".join(f"{name}={value}" for name, value in sorted(state[1].items()))
        moments.put(Moment(time.time(), "cloud", f"{thing} {state[0]} {words}".rstrip()))


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
        session = stack.enter_context(Session(target, show, note))
        session.open(may_start=lambda: False)
        _tell_what_holds_jobs_up(session, note)
    except AtReplError as error:
        note(f"{error.message}: nothing there runs the job until the sandbox is started,")
        note(f"  from another terminal: {error.hint}")
    except ToolError as error:
        note(f"without the board's log: {error.message}")


def _tell_what_holds_jobs_up(session: Session, note: Callable[[str], None]) -> None:
    lines = []
    with contextlib.suppress(ToolError):  # it is busy, or restarts: that will be seen
        lines = session.command("status", _ASK_S).lines
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "executor" and value.startswith("off"):
            note("the executor is off: nothing there runs the job until `executor on`,")
            note("  or it is done by hand, with the commands of `jobs-sandbox console`")
        elif name == "link" and not value.startswith("online"):
            note(f"the board is not connected ({value}): the job waits until it is")


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
            more = f" {edge['duty_u16'] * 100 // 65535} %" if edge["value"] == "pwm" else ""
            more += f" {edge['data']}" if edge["value"] == "rgb" else ""
            moments.put(Moment(edge["t"], "pin", f"{name} {edge['value']}{more}"))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(ended.set)
