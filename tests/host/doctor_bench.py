"""A deployed virtual board beside a local IoT Core, for tests of `doctor`; one for a module."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from host_tools import doctor
from host_tools.board import faults
from host_tools.cloud import access, local
from host_tools.cloud.info import CloudInfo
from host_tools.commands import doctor as command
from host_tools.deploy import Device, Options, deploy
from host_tools.doctor import Check, Examination, Verdict, facts
from host_tools.identity import ThingIdentity
from host_tools.provision import provision
from host_tools.target import Target
from tests.board_fixture import Board, eventually
from tests.cloud_fixture import ANY_PORT
from tests.mqtt_wire import Device as Client

THING = "patient"


@dataclass
class Bench:
    """What is examined. `board` runs the firmware as `thing`, connected to `cloud`."""

    board: Board
    cloud: access.Cloud
    thing: ThingIdentity
    _flash: bytes = b""

    @property
    def target(self) -> Target:
        return Target(self.board.device, self.board)

    @property
    def iot(self) -> Any:
        return self.cloud.client("iot")

    def deploy(self) -> None:
        """Put the firmware on the board, as the command does, and keep what its flash is then."""
        deploy(self.target, Device.of(self.thing), Options(wait_s=30))
        self._flash = self.board.files.flash.read_bytes()

    def restore(self) -> None:
        """Bring the board to be as it was after the deploy: faster than another one."""
        faults.release(self.board.files)
        self.board.stop()
        self.board.files.flash.write_bytes(self._flash)
        self.board.start(bound=True)
        eventually(self.is_online)

    def is_online(self) -> bool:
        """Say whether the board is connected; starts nothing."""
        return self.facts().status.get("link", "").startswith("online")

    def examination(self, *options: str) -> Examination:
        """Do the whole examination of this board, or the one that the options name."""
        which = () if {"--board", "--port"} & set(options) else ("--board", self.board.name)
        return doctor.examine(arguments(*which, *options), lambda check: None)

    def examine(self, *options: str) -> dict[str, Check]:
        """Return the checks of the whole examination, by `world name`."""
        found = self.examination(*options)
        return {f"{check.world} {check.name}": check for check in found.checks}

    def facts(self) -> facts.Facts:
        """Return what the board says."""
        return facts.ask(self.target)

    def write(self, path: str, text: str) -> None:
        """Write a file on the board; the application has ended then."""
        self.run(f"with open({path!r}, 'w') as file: file.write({text!r})")

    def run(self, code: str) -> None:
        """Run code in the raw REPL; the application has ended then."""
        self.board.run(code)


def client(made: ThingIdentity, info: CloudInfo) -> Client:
    """Return an MQTT client that has the thing's credentials."""
    folder = made.folder
    return Client(
        name=made.thing,
        certificate=folder / "certificate.pem",
        key=folder / "private_key.pem",
        certificate_id=made.certificate_id,
        certificate_arn=made.certificate_arn,
        ca=folder / "root_ca.pem",
        port=info.mqtt_port,
    )


def arguments(*words: str) -> argparse.Namespace:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def failing(checks: dict[str, Check]) -> set[str]:
    """Return what fails."""
    return {name for name, check in checks.items() if check.verdict is Verdict.FAIL}


def expect(check: Check, verdict: Verdict, text: str, fix: str = "") -> None:
    """Check a check: its verdict, and what its text and its fix say."""
    assert check.verdict is verdict, check
    assert text in check.text and fix in check.fix, check


@contextlib.contextmanager
def made() -> Iterator[Bench]:
    """A bench in a state folder of its own, which JOBS_SANDBOX_HOME names."""
    running = local.start(http_port=ANY_PORT, mqtt_port=ANY_PORT, bound=True)
    board = Board("doctor")
    try:
        cloud = access.Cloud("local", running.endpoint_url, running.region, local_info=running)
        board.start(bound=True)
        bench = Bench(board, cloud, provision(cloud, THING))
        bench.deploy()
        yield bench
    finally:
        board.stop()
        local.stop()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The module's bench."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBS_SANDBOX_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path_factory.mktemp("none") / "sandbox.toml"))
        with made() as found:
            yield found


def policy(*statements: dict[str, Any]) -> str:
    """Return the text of a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
