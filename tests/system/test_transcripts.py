"""What the local IoT Core never says, said by a scripted peer: each file of `transcripts/` is
played against the real firmware.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from host_tools.board import faults
from tests.board_fixture import eventually
from tests.device_fixture import Device, put
from tests.scripted_peer import ScriptedPeer
from tests.system.test_executor import levels

FOLDER = Path(__file__).parent / "transcripts"
ONLINE = """
> CONNECT
< CONNACK 0
> SUBSCRIBE
< SUBACK
"""
IDLE = """
> PUBLISH get {}
< PUBLISH get/accepted {"inProgressJobs": [], "queuedJobs": [], "clientToken": "@get"}
> PUBLISH start-next {"stepTimeoutInMinutes": 10}
< PUBLISH start-next/accepted {"clientToken": "@start-next"}
"""

Played = Callable[..., tuple[Device, ScriptedPeer]]


@pytest.fixture
def play(make_device: Callable[..., Device], scripted: Callable[[str], ScriptedPeer]) -> Played:
    """Starts a board against a scripted peer and plays a script."""

    def start(script: str, **config: object) -> tuple[Device, ScriptedPeer]:
        device = make_device(deployed=False)
        peer = scripted(device.thing)
        credentials = {**device.made.credentials(), "root_ca_1.der": peer.root}
        put(device, config, port=peer.port, credentials=credentials)
        device.open()
        peer.checks = _checks(device)
        try:
            peer.play(script)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{device.log()}") from None
        return device, peer

    return start


def _checks(device: Device) -> dict[str, Callable[[str], None]]:
    def led(wanted: str) -> None:
        eventually(lambda: " ".join(map(str, levels(device))) == wanted)

    def log(pattern: str) -> None:
        device.expect(pattern)

    def command(line: str) -> None:
        device.command(line)

    def days(count: str) -> None:
        # the power fails for so long
        faults.press(device.board.files, "ntp", int(count) * 86_400)
        device.board.power_cut()

    return {"led": led, "log": log, "type": command, "days": days}


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.txt")))
def test_transcript(play: Played, name: str) -> None:
    device, peer = play((FOLDER / f"{name}.txt").read_text())
    peer.finish()
    assert "Traceback" not in device.log(), device.log()
