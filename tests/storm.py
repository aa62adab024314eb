"""Jobs and faults in any order against one device, and what must hold when the storm is over:

- every execution has ended;
- what the board thinks is incomplete is what the cloud thinks is: nothing;
- every effect happened once. The jobs toggle a pin, so each is one edge. A toggle that has acted
  when the power goes may act again after it, to the same level (tests/system/test_power_cuts.py);
  after a reset the board takes the pin as off, so a toggle may find the level it wants. Hence,
  with E edges, S jobs that succeeded, C that were cancelled or deleted and may have acted, P power
  cuts and R resets: S - R <= E <= S + C + P;
- no traceback, no journal set aside.

The cloud's minutes are short (`MINUTE_S`): a job that waits for ten is timed out after one.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from host_tools.board.buttons import push
from host_tools.cloud import local
from tests.device_fixture import Device

END_S = 90.0
QUEUE = 6  # more jobs than this are not waiting at a time
MINUTE_S = 5.0  # ten of them are a step's time-out, longer than any fault here lasts
TOGGLE = {"operation": "gpio", "pin": "led", "action": "toggle"}
_WAIT = {"operation": "wait", "seconds": 600}
_LED = 2


class Storm:
    """What can happen to a device and its cloud."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.done: Counter[str] = Counter()  # how often what happened
        self.statuses: Counter[str] = Counter()  # how the executions ended
        self._waiting: dict[str, Any] = {}
        self._cancelled = 0

    @property
    def actions(self) -> list[Callable[[], None]]:
        """All that can happen; jobs more often than faults."""
        jobs = [*[self.toggle] * 6, self.reject, self.reboot]
        jobs += [self.time_out, self.cancel, self.delete]
        faults = [self.cut_power, self.cut_link, self.freeze_link, self.lose_wifi, self.slow_link]
        return [*jobs, *faults, self.restart_cloud]

    # The operator

    def toggle(self) -> None:
        self._create("toggle", TOGGLE)

    def reject(self) -> None:
        self._create("reject", {"operation": "no-such-thing"})

    def reboot(self) -> None:
        self._create("reboot", {"operation": "reboot"})

    def time_out(self) -> None:
        self._create("time-out", _WAIT, timeoutConfig={"inProgressTimeoutInMinutes": 1})

    def cancel(self) -> None:
        if self._waiting:
            self._stop("cancel", self.device.iot.cancel_job)

    def delete(self) -> None:
        if self._waiting:
            self._stop("delete", self.device.iot.delete_job)

    # Faults

    def cut_power(self) -> None:
        self.done["power cut"] += 1
        self.device.board.power_cut()

    def cut_link(self) -> None:
        self._push("cut-link")

    def freeze_link(self) -> None:
        self._push("freeze-link", "1s")

    def lose_wifi(self) -> None:
        self._push("wifi-drop", "1s")

    def slow_link(self) -> None:
        self._push("slow-link", "50ms")

    def restart_cloud(self) -> None:
        self.done["cloud restart"] += 1
        local.stop()
        local.start(bound=True, minute_s=MINUTE_S)

    # The end

    def settle(self) -> None:
        """Wait until every execution has ended; fails if one does not."""
        for job_id in list(self._waiting):
            ended = self.device.ended(job_id, END_S)
            self._count(job_id, ended["status"])

    def judge(self) -> None:
        """Let the storm end and check what must hold."""
        push(self.device.board.files, "none")
        self.settle()
        self._same_as_the_cloud()
        edges = sum(
            edge["pin"] == _LED and edge["value"] in (0, 1) for edge in self.device.board.edges()
        )
        succeeded, resets = self.statuses["toggle SUCCEEDED"], self.device.board.boot
        most = succeeded + self._cancelled + self.done["power cut"]
        assert succeeded - resets <= edges <= most, f"{edges} edges, {self}\n{self.device.log()}"
        said = self.device.log()
        assert "Traceback" not in said and "set aside" not in said, said

    def __str__(self) -> str:
        happened = ", ".join(f"{count} {name}" for name, count in sorted(self.done.items()))
        ended = ", ".join(f"{count} {name}" for name, count in sorted(self.statuses.items()))
        return f"{happened}; executions: {ended}"

    def _same_as_the_cloud(self) -> None:
        deadline = time.monotonic() + END_S
        while True:
            said = self.device.try_command("jobs")
            if said and any("no incomplete" in line for line in said):
                return
            assert time.monotonic() < deadline, f"{said}\n{self.device.log()}"
            time.sleep(0.05)

    def _create(self, name: str, document: Any, **more: Any) -> None:
        while len(self._waiting) > QUEUE:
            self._forget()
        self.done[name] += 1
        self._waiting[self.device.create_job(document, **more)] = name

    def _forget(self) -> None:
        # the oldest, once it has ended
        job_id = next(iter(self._waiting))
        self._count(job_id, self.device.ended(job_id, END_S)["status"])

    def _count(self, job_id: str, status: str) -> None:
        name = self._waiting.pop(job_id)
        self.statuses[f"{name} {status}"] += 1
        assert status in _ENDS[name], f"{job_id} {name} {status}\n{self.device.log()}"
        if status == "CANCELED":
            self._cancelled += name == "toggle"
        self.device.iot.delete_job(jobId=job_id, force=True)

    def _stop(self, name: str, request: Callable[..., Any]) -> None:
        job_id = next(iter(self._waiting))
        try:
            request(jobId=job_id, force=True)
        except self.device.iot.exceptions.InvalidRequestException:
            return  # it has ended
        except self.device.iot.exceptions.InvalidStateTransitionException:
            return
        self.done[name] += 1
        if name == "delete":
            self._cancelled += self._waiting.pop(job_id) == "toggle"

    def _push(self, button: str, value: str = "") -> None:
        self.done[button] += 1
        push(self.device.board.files, button, value)


_ENDS = {
    "toggle": ("SUCCEEDED", "CANCELED"),
    "reboot": ("SUCCEEDED", "CANCELED"),
    "reject": ("REJECTED", "CANCELED"),
    "time-out": ("TIMED_OUT", "CANCELED"),
}


def heap(device: Device) -> int:
    """Return how many bytes of the board's heap are free, as `status` says."""
    said = "\n".join(device.try_command("status") or [])
    found = re.search(r"heap: (\d+) bytes free", said)
    assert found, said
    return int(found[1])


def rage(storm: Storm, dice: random.Random, end: float) -> None:
    """Let things happen at random until `time.monotonic()` is `end`."""
    while time.monotonic() < end:
        dice.choice(storm.actions)()
        time.sleep(dice.random() * 0.3)
