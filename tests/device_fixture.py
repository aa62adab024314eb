"""Real firmware on a virtual board beside a local IoT Core, to be imported by a conftest.py.

`device` is provisioned and deployed as a user would do it, then talked to over its serial port.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from littlefs import LittleFS

from host_tools import paths
from host_tools.board.files import FLASH_SIZE
from host_tools.cloud import access
from host_tools.cloud.info import CloudInfo
from host_tools.console import Answer, Session
from host_tools.console.protocol import Line
from host_tools.deploy import Device as Identity
from host_tools.deploy import build, settings
from host_tools.errors import ToolError
from host_tools.identity import ThingIdentity
from host_tools.provision import provision
from host_tools.target import Target
from tests.board_fixture import Board

COMMAND_S = 60.0
EXPECT_S = 60.0
BLOCK = 4096
_numbers = itertools.count(1)


class Device:
    """A board that runs the firmware as a thing of its own, and the operator's side of its
    jobs.
    """

    def __init__(self, board: Board, cloud: access.Cloud, made: ThingIdentity) -> None:
        self.board = board
        self.cloud = cloud
        self.made = made
        self.thing = made.thing
        self.iot = cloud.client("iot")
        self.lines: list[str] = []
        self._mark = 0
        self._grown = threading.Condition()
        self._session: Session | None = None

    # The board's serial line

    def open(self) -> None:
        """Begin to listen; lines that come from now on are kept in `lines`."""
        self._session = Session(
            Target(self.board.device, self.board), self._add, lambda note: None
        )
        self._session.open(may_start=lambda: True)

    def close(self) -> None:
        if self._session:
            self._session.close()
            self._session = None

    def command(self, line: str) -> Answer:
        """Type a command and return the board's answer."""
        assert self._session and self._session.wait_until_ready(EXPECT_S), self.log()
        return self._session.command(line, COMMAND_S)

    def result(self, line: str) -> Any:
        """Type a command that must succeed and return the JSON of its result."""
        answer = self.command(line)
        assert answer.status == 0, answer
        return answer.result

    def try_command(self, line: str) -> list[str] | None:
        """Type a command that the board may not live to answer; return what it said, if it did."""
        assert self._session and self._session.wait_until_ready(EXPECT_S), self.log()
        try:
            return self._session.command(line, COMMAND_S).lines
        except ToolError:
            return None

    def state(self, name: str) -> str:
        """Return what `status` says of `executor`, `link`, …"""
        start = f"{name}: "
        lines = self.command("status").lines
        return next(line.removeprefix(start) for line in lines if line.startswith(start))

    def expect(self, pattern: str, deadline_s: float = EXPECT_S) -> str:
        """Return the first line, behind the one that was last expected, that has `pattern`."""
        end = time.monotonic() + deadline_s
        with self._grown:
            while True:
                for number in range(self._mark, len(self.lines)):
                    if re.search(pattern, self.lines[number]):
                        self._mark = number + 1
                        return self.lines[number]
                left = end - time.monotonic()
                assert left > 0, f"{pattern!r} did not come; what came is\n{self.log()}"
                self._grown.wait(left)

    def has(self, text: str) -> bool:
        """Say whether a line with this text has come since the last one that was expected."""
        with self._grown:
            return any(text in line for line in self.lines[self._mark :])

    def skip(self) -> None:
        """Expect only what comes from now on."""
        self._mark = len(self.lines)

    def event(self, name: str) -> Any:
        """Return the JSON of the next event of a stream, `JobExecutionsChanged` or `Next…`."""
        return json.loads(self.expect(f"^Received {name} event:  ").split("event:  ", 1)[1])

    def log(self) -> str:
        """Return what the board has printed."""
        return "\n".join(self.lines)

    def _add(self, line: Line) -> None:
        with self._grown:
            self.lines.append(line.text)
            self._grown.notify_all()

    # The operator

    def create_job(self, document: Any, job_id: str | None = None, **more: Any) -> str:
        """Create a job for this thing and return its id; `document` may be text, too."""
        job_id = job_id or f"job-{next(_numbers)}"
        text = document if isinstance(document, str) else json.dumps(document)
        self.iot.create_job(jobId=job_id, targets=[self.made.thing_arn], document=text, **more)
        return job_id

    def execution(self, job_id: str) -> dict[str, Any]:
        """Return the execution as the control plane describes it."""
        answer = self.iot.describe_job_execution(jobId=job_id, thingName=self.thing)
        found: dict[str, Any] = answer["execution"]
        return found

    def ended(self, job_id: str, deadline_s: float = EXPECT_S) -> dict[str, Any]:
        """Wait until the execution has ended and return it."""
        end = time.monotonic() + deadline_s
        while (found := self.execution(job_id))["status"] in ("QUEUED", "IN_PROGRESS"):
            assert time.monotonic() < end, f"{job_id} is {found['status']}\n{self.log()}"
            time.sleep(0.02)
        return found

    def run_job(self, document: Any) -> tuple[str, dict[str, str]]:
        """Create a job, wait for its end, return status and statusDetails."""
        found = self.ended(self.create_job(document))
        return found["status"], found.get("statusDetails", {}).get("detailsMap", {})

    def aws(self, *words: str) -> str:
        """Run the real AWS CLI as a user does and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "host_tools", "aws", *words],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def local_cloud(cloud: CloudInfo) -> access.Cloud:
    """The local IoT Core as the commands see it."""
    parser = argparse.ArgumentParser()
    access.add_cloud_arguments(parser)
    return access.resolve(parser.parse_args([]))


@pytest.fixture
def make_device(
    make_board: Callable[..., Board], local_cloud: access.Cloud
) -> Iterator[Callable[..., Device]]:
    """Makes devices. `deployed=False`: only thing and board, which is off; `changes` see `put`."""
    made: list[Device] = []

    def make(deployed: bool = True, **changes: Any) -> Device:
        board = make_board(started=False)
        identity = provision(local_cloud, f"thing-{board.name}")
        device = Device(board, local_cloud, identity)
        made.append(device)
        if deployed:
            put(device, **changes)
            device.open()
            device.expect("link: ready")
        return device

    yield make
    for device in made:
        device.close()


@pytest.fixture
def device(make_device: Callable[..., Device]) -> Device:
    """A connected device with the executor on."""
    return make_device()


@pytest.fixture
def manual(device: Device) -> Device:
    """A connected device with the executor off: the sample's sandbox."""
    device.result("executor off")
    device.skip()
    return device


def put(
    device: Device,
    config: dict[str, Any] | None = None,
    more: dict[str, bytes] | None = None,
    **changes: Any,
) -> None:
    """Lay the firmware into the flash and switch the board on: what `deploy` would put there,
    without the time it takes.

    `config`: further members of /config.json; `more`: further files; `changes`: members of the
    Identity that are not as they should be.
    """
    identity = Identity(**{**vars(Identity.of(device.made)), **changes})
    wifi = {"ssid": "virtual", "password": ""}
    files = {
        **{f"/credentials/{name}": each for name, each in identity.credentials.items()},
        settings.BOARD: settings.board("virtual"),
        settings.CONFIG: settings.config(identity, wifi, json.dumps(config or {})),
        "/manifest.json": b"{}",
        **(more or {}),
    }
    device.board.stop()
    device.board.files.flash.write_bytes(image(files, firmware_image(paths.FIRMWARE)))
    device.board.start(bound=True)


@functools.cache
def application(firmware: Path) -> dict[str, bytes]:
    """Return `paths.FIRMWARE` as `deploy` puts it on a board, compiled once in a test process."""
    assert firmware == paths.FIRMWARE
    return build.application(umqtt=True)


@functools.cache
def firmware_image(firmware: Path) -> bytes:
    """Return a flash image with nothing in it but `paths.FIRMWARE`."""
    return image(application(firmware))


def image(files: dict[str, bytes], before: bytes | None = None) -> bytes:
    """Return a flash image, as MicroPython formats it, with these files in it, besides those of
    the image `before`.
    """
    blocks = FLASH_SIZE // BLOCK
    flash = LittleFS(
        block_size=BLOCK, block_count=blocks, disk_version=0x00020001, mount=before is None
    )
    if before is not None:
        flash.context.buffer = bytearray(before)
        flash.mount()
    for path, content in files.items():
        flash.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        with flash.open(path, "wb") as file:
            file.write(content)
    return bytes(flash.context.buffer)
