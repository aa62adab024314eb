"""Downloads by https: the server is verified, the MQTT connection makes room meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from littlefs import LittleFS

from host_tools.board.files import FLASH_SIZE
from tests.board_fixture import eventually
from tests.device_fixture import BLOCK, Device
from tests.https_server import CONTENT, HttpsServer


@pytest.fixture
def server() -> Iterator[HttpsServer]:
    with closing(HttpsServer()) as running:
        yield running


def configure(device: Device, **members: Any) -> None:
    """Change /config.json while the board is off."""
    device.close()
    device.board.stop()
    flash = LittleFS(block_size=BLOCK, block_count=FLASH_SIZE // BLOCK, mount=False)
    flash.context.buffer = bytearray(device.board.files.flash.read_bytes())
    flash.mount()
    with flash.open("/config.json", "rb") as file:
        config = json.loads(file.read())
    with flash.open("/config.json", "wb") as file:
        file.write(json.dumps({**config, **members}).encode())
    device.board.files.flash.write_bytes(bytes(flash.context.buffer))
    device.board.start(bound=True)
    device.open()
    device.expect("link: ready")


def test_a_verified_server_and_nobody_else_is_downloaded_from(
    device: Device, server: HttpsServer
) -> None:
    document = {
        "operation": "download-file",
        "url": f"https://localhost:{server.port}/f",
        "path": "/files/f",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    status, details = device.run_job(document)
    assert (status, details["code"]) == ("FAILED", "DOWNLOAD_FAILED"), device.log()
    assert server.asked == [], "the board's own roots do not know it"
    configure(device, extra_root=server.root)
    status, details = device.run_job(document)
    assert (status, details.get("bytes")) == ("SUCCEEDED", str(len(CONTENT))), device.log()
    assert "link: CLOSED_BY_PEER" in device.log() or "link: connected" in device.log()
    for url, code in (
        (f"https://127.0.0.2:{server.port}/f", "DOWNLOAD_FAILED"),
        (f"https://localhost:{server.port}/moved", "HTTP_ERROR"),
    ):
        status, details = device.run_job({**document, "url": url})
        assert (status, details["code"]) == ("FAILED", code), device.log()
    server.slow_s = 1.0
    assert device.run_job(document)[0] == "SUCCEEDED", device.log()


def test_one_that_is_cancelled_while_the_link_pauses_leaves_nothing(
    device: Device, server: HttpsServer
) -> None:
    configure(device, extra_root=server.root)
    url = f"https://localhost:{server.port}/f"
    server.going_on.clear()
    job_id = device.create_job({"operation": "download-file", "url": url, "path": "/files/f"})
    eventually(lambda: server.asked)
    device.iot.cancel_job_execution(jobId=job_id, thingName=device.thing, force=True)
    server.going_on.set()
    device.expect(f"{job_id} dropped: ")
    assert device.execution(job_id)["status"] == "CANCELED"
    status, details = device.run_job({"operation": "delete-file", "path": "/files/f"})
    assert (status, details["code"]) == ("FAILED", "NO_FILE")
