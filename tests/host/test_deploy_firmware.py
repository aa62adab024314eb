"""Deploying the real firmware, until the local IoT Core has its connection."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from host_tools.board import VirtualBoard
from host_tools.cloud.access import Cloud
from host_tools.cloud.info import CloudInfo
from host_tools.deploy import Device, Options, deploy
from host_tools.deploy.raw_repl import RawRepl
from host_tools.provision import provision
from host_tools.target import Target


@pytest.fixture(scope="module")
def device(cloud: CloudInfo) -> Device:
    running = Cloud("local", cloud.endpoint_url, cloud.region, local_info=cloud)
    return Device.of(provision(running, "deploy-firmware"))


@pytest.fixture(scope="module")
def target(cloud: CloudInfo) -> Iterator[Target]:
    board = VirtualBoard("firmware")
    board.start(bound=True)
    yield Target(board.device, board)
    board.stop()


def test_board_connects_and_a_second_deploy_copies_nothing(
    device: Device, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    first = deploy(target, device)
    assert first.connected
    assert "link: ready" in capsys.readouterr().err
    second = deploy(target, device)
    assert (second.changed, second.removed, second.bytes) == ([], [], 0)
    assert second.connected


def test_connection_is_seen_though_the_board_logs_warnings_only(
    device: Device, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(target, device, Options(wait_s=0))
    repl = RawRepl(target.device, target.label)
    repl.enter()
    config = json.loads(repl.run("print(repr(open('/config.json').read()))")[0])
    quiet = json.dumps({**config, "log": "warning"})
    repl.run(f"f = open('/config.json', 'w'); f.write({quiet!r}); f.close()")
    repl.close()
    capsys.readouterr()
    assert deploy(target, device).connected
    assert "link: ready" not in capsys.readouterr().err
