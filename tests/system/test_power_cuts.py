"""Power cuts: at every flash write of a job, whole and torn, and at random instants.

What must hold after each, whatever was cut:

- every execution ends, SUCCEEDED here, since nothing but the power was wrong;
- the file system mounts and the journal is the old entry or the new one: no log line that it was
  set aside, no traceback;
- each step takes effect once. The journal is written before the effect and after it, so the only
  thing it cannot know is whether the step under way has acted. Hence, with `d` the number of
  steps that had acted when the power went:
  - the new boot goes on at step `d`, or does step `d - 1` again, never an earlier one, and a pin
    that lost its level with the power is so given it again;
  - the later the cut, the more has been done: once a cut at some write leads to the outcome being
    known, no later one leads to a step being done again;
- a toggle is resolved to a level before it acts, and that level stands: it is the opposite of what
  the pin had when it was resolved, in the old boot or, if that is not in the journal, in the new;
- a reboot job resets the board once, or not at all if the power cut was the reboot.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from host_tools.board import faults
from host_tools.cloud import local
from tests.device_fixture import Device
from tests.system.test_executor import gpio

LED, RELAY = 2, 4
CUTS = int(os.environ.get("JOBS_SANDBOX_CUTS", "500"))
SEED = int(os.environ.get("JOBS_SANDBOX_SEED", "1"))
THREE = {"steps": [gpio("on"), gpio("on", "relay"), gpio("off")]}
ALL_OFF = {"steps": [gpio("off"), gpio("off", "relay")]}
QUIET_S = 0.12
Edges = list[tuple[int, Any]]
"""(gpio, level) of what a boot has driven, in order"""


@dataclass
class Cut:
    """What became of a job in which the power was cut."""

    before: Edges
    after: Edges
    boots: int


class Bench:
    """A device whose power is cut."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.cuts = 0

    def settle(self) -> int:
        """Wait until the board writes nothing more; return how often it has written."""
        files = self.device.board.files
        count, since = faults.flash_operations(files), time.monotonic()
        while time.monotonic() - since < QUIET_S:
            time.sleep(0.01)
            if (now := faults.flash_operations(files)) != count:
                count, since = now, time.monotonic()
        return count

    def writes(self, document: Any) -> int:
        """Return how often the flash is written for a job that nothing happens to."""
        self.done(self.device.create_job(ALL_OFF))
        before = self.settle()
        self.done(self.device.create_job(document))
        return self.settle() - before

    def done(self, job_id: str) -> None:
        """Wait until a job has succeeded, and forget it: the local cloud slows down otherwise."""
        device = self.device
        ended = device.ended(job_id, 60)
        assert ended["status"] == "SUCCEEDED", f"{ended}\n{device.log()}"
        device.iot.delete_job(jobId=job_id, force=True)

    def run(self, document: Any, act: Callable[[], None]) -> Cut:
        """Run a job during which `act()` cuts the power; return what it did."""
        device = self.device
        device.skip()
        edges, line, boot = len(device.board.edges()), len(device.lines), device.board.boot
        act()
        self.done(device.create_job(document))
        self.settle()
        self.sound(line)
        made = device.board.edges()[edges:]
        return Cut(
            [(edge["pin"], edge["value"]) for edge in made if edge["boot"] == boot and _set(edge)],
            [(edge["pin"], edge["value"]) for edge in made if edge["boot"] > boot and _set(edge)],
            device.board.boot - boot,
        )

    def cut(self, document: Any, nth: int, torn: bool, before: Any = ALL_OFF) -> Cut:
        """Run the job `before`, then `document`; the power goes at its `nth` flash write."""
        files = self.device.board.files
        self.done(self.device.create_job(before))
        self.settle()
        self.cuts += 1
        found = self.run(document, lambda: _arm(files, nth, torn))
        faults.release(files)
        return found

    def sound(self, line: int) -> None:
        """Check what the board has said since a line of its log."""
        said = "\n".join(self.device.lines[line:])
        assert "set aside" not in said and "Traceback" not in said, said


def _arm(files: Any, nth: int, torn: bool) -> None:
    faults.cut_power_at_write(files, nth, torn=torn)


def _set(edge: dict[str, Any]) -> bool:
    return edge["value"] in (0, 1)


@pytest.fixture
def bench(device: Device) -> Bench:
    return Bench(device)


def _sweep(bench: Bench, document: Any, part: int) -> Iterator[tuple[int, bool, Cut]]:
    # the power goes at every `part`th write: first torn, then whole
    writes = bench.writes(document)
    assert writes > 4, "a job is written down before and after its effect"
    for torn in (True, False):
        for nth in range(1 + (part // 2 if torn else 0), writes + 1, part):
            yield nth, torn, bench.cut(document, nth, torn)


def _judge(steps: Edges, cuts: list[Cut]) -> None:
    # each step once, and none again once the outcome is known; `cuts` in the order of the writes
    known = False
    for cut in cuts:
        done = len(cut.before)
        assert cut.before == steps[:done], cut
        assert cut.after in (steps[done:], steps[max(done - 1, 0) :]), cut
        assert cut.boots <= 1, cut
        assert not (known and cut.after), "done again although the outcome was in the journal"
        known = known or (done == len(steps) and not cut.after)
    # LittleFS may save a write now and then, and the power is not cut in the job
    assert sum(cut.boots for cut in cuts) >= 0.8 * len(cuts)


def check_level(bench: Bench, part: int) -> None:
    cuts = list(_sweep(bench, gpio("on"), part))
    for torn in (True, False):
        _judge([(LED, 1)], [cut for _, t, cut in cuts if t == torn])


def check_steps(bench: Bench, part: int, document: Any = THREE) -> None:
    cuts = list(_sweep(bench, document, part))
    for torn in (True, False):
        _judge([(LED, 1), (RELAY, 1), (LED, 0)], [cut for _, t, cut in cuts if t == torn])


def check_large(bench: Bench, part: int) -> None:
    # a document that comes through flash, and whose steps stay there
    steps: list[Any] = [{**step, "_why": "x" * 1000} for step in THREE["steps"]]
    check_steps(bench, part, {"steps": steps})


def check_toggle(bench: Bench, part: int) -> None:
    toggle = gpio("toggle")
    writes = bench.writes(toggle)
    for torn in (True, False):
        resolved = False
        for nth in range(1 + (part // 2 if torn else 0), writes + 1, part):
            cut = bench.cut(toggle, nth, torn, before=gpio("on"))
            levels = [level for _, level in cut.before + cut.after]
            assert levels in ([1], [0], [0, 0]), cut
            assert not (resolved and 1 in levels), "another level than what is in the journal"
            resolved = resolved or 1 not in levels


def check_reboot(bench: Bench, part: int) -> None:
    for nth, torn, cut in _sweep(bench, {"operation": "reboot"}, part):
        assert 1 <= cut.boots <= 2, (nth, torn, cut)  # the power cut is one of them


def check_executor_off(bench: Bench, part: int) -> None:
    device = bench.device
    files = device.board.files
    before = bench.settle()
    device.result("executor off")
    writes = bench.settle() - before
    device.result("executor on")
    for torn in (True, False):
        for nth in range(1 + (part // 2 if torn else 0), writes + 1, part):
            bench.settle()
            line, boot = len(device.lines), device.board.boot
            faults.cut_power_at_write(files, nth, torn=torn)
            answered = device.try_command("executor off")
            device.board.wait_for_boot(boot + 1)
            faults.release(files)
            device.expect("link: ready")
            bench.cuts += 1
            state = device.state("executor")
            assert state == "off" or (state == "on" and not answered), (nth, torn)
            bench.sound(line)
            device.result("executor on")


CHECKS = [
    check_level,
    check_toggle,
    check_steps,
    check_large,
    check_reboot,
    check_executor_off,
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_power_cut_at_some_writes(bench: Bench, check: Callable[[Bench, int], None]) -> None:
    check(bench, 13)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("check", CHECKS)
def test_a_power_cut_at_every_write(bench: Bench, check: Callable[[Bench, int], None]) -> None:
    check(bench, 1)
    print(f"{check.__name__}: {bench.cuts} power cuts survived")


def _at_random(bench: Bench, cuts: int, dice: random.Random) -> None:
    # A job of three steps or a reboot in turn; the power goes once or twice at any instant
    for number in range(cuts):
        device = bench.device
        line = len(device.lines)
        document = (THREE, {"operation": "reboot"}, gpio("toggle"))[number % 3]
        job_id = device.create_job(document)
        for _ in range(dice.choice((1, 1, 2))):
            time.sleep(dice.random() * 0.8)
            device.board.power_cut()
            bench.cuts += 1
        bench.done(job_id)
        bench.settle()
        bench.sound(line)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_power_cuts_at_random_instants(bench: Bench) -> None:
    dice = random.Random(SEED)  # noqa: S311  to be repeated
    while bench.cuts < CUTS:
        _at_random(bench, 10, dice)
    print(f"{bench.cuts} power cuts at random instants survived, seed {SEED}")


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_power_cuts_while_the_cloud_is_down(bench: Bench) -> None:
    dice = random.Random(SEED)  # noqa: S311  to be repeated
    for _ in range(max(CUTS // 25, 1)):
        device = bench.device
        line = len(device.lines)
        job_id = device.create_job(THREE)
        time.sleep(dice.random() * 0.3)
        local.stop()
        for _ in range(3):
            time.sleep(dice.random() * 0.8)
            device.board.power_cut()
            bench.cuts += 1
        local.start(bound=True)
        bench.done(job_id)
        bench.settle()
        bench.sound(line)
    print(f"{bench.cuts} power cuts with the cloud down survived, seed {SEED}")
