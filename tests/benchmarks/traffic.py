"""A board behind a wiretap: what it says and hears for a job, and while there is none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.wiretap import UP, Wiretap
from tests.board_fixture import eventually
from tests.device_fixture import Device, put
from tests.proxy import DOWN, Proxy

_TOGGLE = {"operation": "gpio", "pin": "led", "action": "toggle"}
_KEEPALIVE_S = 60  # the default, firmware/sandbox/config.py
_SHORT_KEEPALIVE_S = 2
_QUIET_S = 0.5


@dataclass(frozen=True)
class Said:
    """Bytes each way with TLS; the packets; TLS records for each packet that went up."""

    up: int
    down: int
    packets: list[str]
    records: float
    every_s: int = 0


class Traffic:
    """A connected board with a keep-alive period of two seconds."""

    def __init__(
        self,
        device: Device,
        make_proxy: Callable[[int], Proxy],
        make_wiretap: Callable[..., Wiretap],
    ) -> None:
        self.device = device
        self.tap = make_wiretap(device.made)
        self.proxy = make_proxy(self.tap.port)
        credentials = {**device.made.credentials(), "root_ca_1.der": self.tap.ca_der}
        put(
            device,
            {"keepalive_s": _SHORT_KEEPALIVE_S},
            port=self.proxy.port,
            credentials=credentials,
        )
        device.open()
        device.expect("link: ready")

    def during(self, what: Callable[[], object]) -> Said:
        """Return what is said while `what` is done, from a PINGREQ's answer on."""
        self._rest()
        (talk,) = self.tap.talks
        before = len(talk.events), *self._passed()
        what()
        events = talk.events[before[0] :]
        up, down = self._passed()
        sent = [event for event in events if event.way == UP]
        records = sum(event.records for event in sent) / max(len(sent), 1)
        packets = [
            f"{event.way} {re.sub('job-[0-9]+', '<jobId>', event.name)}, {event.size} bytes"
            for event in events
        ]
        return Said(up - before[1], down - before[2], packets, records)

    def _rest(self) -> None:
        # until just behind a PINGRESP: then nothing comes for a keep-alive period
        (talk,) = self.tap.talks
        pings = len(talk.named("PINGRESP"))
        eventually(lambda: len(talk.named("PINGRESP")) > pings)
        time.sleep(_QUIET_S / 5)

    def _passed(self) -> tuple[int, int]:
        return self.proxy.bytes_passed(UP), self.proxy.bytes_passed(DOWN)


def job(line: Traffic) -> Said:
    """Return what one job takes, a warm-up before."""

    def run() -> None:
        line.device.run_job(_TOGGLE)
        time.sleep(_QUIET_S)

    run()
    return line.during(run)


def idle_hour(line: Traffic) -> Said:
    """Return what an hour takes, from one keep-alive exchange."""
    (talk,) = line.tap.talks

    def run() -> None:
        pings = len(talk.named("PINGRESP"))
        eventually(lambda: len(talk.named("PINGRESP")) > pings)
        time.sleep(_QUIET_S / 5)

    said = line.during(run)
    times = 3600 // _KEEPALIVE_S
    return Said(
        said.up * times, said.down * times, said.packets, said.records, every_s=_KEEPALIVE_S
    )
