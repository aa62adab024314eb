"""A virtual board and a small firmware of its own to deploy, for the deploy tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import serial

from host_tools import paths
from host_tools.board import VirtualBoard
from host_tools.deploy import Deployed, Device, Options, deploy
from host_tools.deploy.upload import Progress
from host_tools.target import Target

DEVICE = Device(
    "thing", "thing", "iot.invalid", 8883, {"private_key.der": b"key", "root_ca_1.der": b"root"}
)

# Says the line that deploy waits for, then works on.
CONNECTS = """
import time
from sandbox import greeting
print('I 0.001 link: ready')
while True:
    greeting.greet()
    time.sleep_ms(100)
"""


@dataclass
class Bench:
    """A running virtual board and the folder of the firmware it gets."""

    board: VirtualBoard
    firmware: Path
    options: Options = field(default_factory=lambda: Options(wait_s=60))

    @property
    def target(self) -> Target:
        return Target(self.board.device, self.board)

    def write(self, **sources: str) -> None:
        """Write modules of the application: name → source; `main` and `boot` are at the top."""
        for name, source in sources.items():
            folder = self.firmware if name in ("main", "boot") else self.firmware / "sandbox"
            (folder / f"{name}.py").write_text(source)

    def deploy(
        self, device: Device = DEVICE, progress: Progress = lambda a, b: None, **options: object
    ) -> Deployed:
        return deploy(self.target, device, replace(self.options, **options), progress)  # type: ignore[arg-type]

    def on_board(self, program: str) -> str:
        """Run a program on the board by the real mpremote and return what it printed."""
        return self.mpremote("exec", program)

    def mpremote(self, *arguments: str) -> str:
        """Run the real mpremote on the board and return what it printed."""
        run = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", self.board.device, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def interrupt(self) -> None:
        """Bring the board to a clean prompt.

        What an interrupted deploy had sent may still wait to be read, by then at a prompt, where
        it turns on paste mode; mpremote gives up on that.
        """
        with serial.Serial(self.board.device, timeout=0.1) as port:
            deadline = time.monotonic() + 60
            while not port.read(1000).endswith(b">>> "):
                assert time.monotonic() < deadline
                port.write(b"\x03")

    def files(self) -> dict[str, str]:
        """Return path → SHA-256 in hex of every file on the board."""
        listing = self.on_board(LIST)
        return dict(line.split(" ") for line in listing.splitlines())


LIST = """
import os, binascii, hashlib
def walk(folder):
    for e in os.ilistdir(folder):
        path = folder.rstrip('/') + '/' + e[0]
        if e[1] == 0x4000:
            walk(path)
        elif path != '/filler':
            content = open(path, 'rb').read()
            print(path, binascii.hexlify(hashlib.sha256(content).digest()).decode())
walk('/')
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualBoard]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBS_SANDBOX_HOME", str(tmp_path_factory.mktemp("home")))
        made = VirtualBoard("deploy")
        made.start(bound=True)
        yield made
        made.stop()


@pytest.fixture
def bench(board: VirtualBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    board.start(erase=True, bound=True)
    shutil.rmtree(paths.home() / "things", ignore_errors=True)
    (paths.home() / "deployed.json").unlink(missing_ok=True)
    monkeypatch.setattr(paths, "FIRMWARE", tmp_path)
    made = Bench(board, tmp_path)
    (tmp_path / "sandbox").mkdir()
    boot = (paths.ROOT / "firmware" / "boot.py").read_text()
    made.write(boot=boot, main=CONNECTS, __init__="", greeting="def greet():\n    pass\n")
    yield made
