"""Random jobs and random faults: see tests/storm.py for what must hold."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from host_tools.cloud.info import CloudInfo
from tests.cloud_fixture import own_cloud
from tests.device_fixture import Device
from tests.storm import MINUTE_S, Storm, heap, rage

MINUTES = float(os.environ.get("JOBS_SANDBOX_MINUTES", "10"))
SEED = int(os.environ.get("JOBS_SANDBOX_SEED", "1"))
REPORT_S = 60.0


def examples(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudInfo]:
    """A local IoT Core of this module, to be restarted."""
    with own_cloud(tmp_path_factory, minute_s=MINUTE_S) as running:
        yield running


@examples(4)
@given(data=st.data())
def test_jobs_and_faults_in_any_order(
    make_device: Callable[..., Device], data: DataObject
) -> None:
    unfold(make_device, data, 12)


@pytest.mark.long
@pytest.mark.timeout(3600)
@examples(60)
@given(data=st.data())
def test_many_jobs_and_faults_in_any_order(
    make_device: Callable[..., Device], data: DataObject
) -> None:
    unfold(make_device, data, 20)


def unfold(make_device: Callable[..., Device], data: DataObject, length: int) -> None:
    """Let hypothesis choose what happens to a new device, and judge."""
    device = make_device()
    storm = Storm(device)
    actions = {action.__name__: action for action in storm.actions}
    for name in data.draw(
        st.lists(st.sampled_from(list(actions)), min_size=length // 2, max_size=length)
    ):
        actions[name]()
        time.sleep(0.02)
    storm.judge()
    print(storm)
    device.board.stop()


@pytest.mark.long
@pytest.mark.timeout(0)
def test_soak(device: Device) -> None:
    storm, dice = Storm(device), random.Random(SEED)  # noqa: S311  repeatable
    before, began = heap(device), time.monotonic()
    end = began + 60 * MINUTES
    while (now := time.monotonic()) < end:
        part = min(now + REPORT_S, end)
        rage(storm, dice, part)
        storm.judge()
        print(f"{(time.monotonic() - began) / 60:.1f} min: {storm}", flush=True)
    print(f"heap free: {before} bytes before, {heap(device)} after; seed {SEED}; nothing lost")
