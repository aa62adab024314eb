"""A private local IoT Core for tests, to be imported by a conftest.py.

It lives in a temporary JOBS_SANDBOX_HOME, on free loopback ports, and ends with the test process
even if that is killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools.cloud import local
from host_tools.cloud.info import CloudInfo

ANY_PORT = 0


@pytest.fixture(scope="session")
def sandbox_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of this test run, in JOBS_SANDBOX_HOME."""
    folder = tmp_path_factory.mktemp("sandbox")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "JOBS_SANDBOX_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def cloud(sandbox_home: Path) -> Iterator[CloudInfo]:
    """A local IoT Core that runs for the whole test session."""
    yield local.start(http_port=ANY_PORT, mqtt_port=ANY_PORT, bound=True)
    local.stop()
