"""`jobs-sandbox job` as a user types it, on a real board of a real (local) cloud."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tools import paths
from host_tools.__main__ import main
from host_tools.job_documents import tables
from tests.device_fixture import Device
from tests.document_strategies import Documents

BOARD = "virtual"
SLOW = ("wait", "pwm", "identify", "reboot", "set-config")
EXAMPLES = paths.ROOT / "docs" / "jobs" / "examples"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def job(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["job", *words])
        return status, *capsys.readouterr()

    return job


def test_a_job_is_made_watched_listed_and_cancelled(device: Device, run: Run) -> None:
    device.close()
    board, thing = ("--board", device.board.name), ("--thing", device.thing)
    status, out, errors = run("run", "gpio,led,blink,2", *board, *thing, "--watch")
    assert status == 0, out + errors
    assert "aws iot create-job --job-id gpio-" in errors
    lines = [line.split(None, 2) for line in out.splitlines()]
    assert [line[2] for line in lines if line[1] == "pin"] == ["led 1", "led 0"] * 2
    assert any(line[1] == "board" and "SUCCEEDED" in line[2] for line in lines)
    clouds = [line[2] for line in lines if line[1] == "cloud"]
    assert "SUCCEEDED" in clouds[-1] and "pulses=2" in clouds[-1]
    assert [line[0] for line in lines] == sorted(line[0] for line in lines), "one clock"

    status, out, _ = run("run", "wait,60", *board, *thing, "--job-id", "long-1", "--json")
    assert status == 0 and json.loads(out)["document"] == {"operation": "wait", "seconds": 60}
    status, out, _ = run("list", *thing, "--json")
    assert "long-1" in [each["jobId"] for each in json.loads(out)]
    status, _, errors = run("run", "report", *board, *thing, "--job-id", "long-1")
    assert status == 1 and f"long-1 is taken by a job for {device.thing}, IN_PROGRESS" in errors
    assert "try: another --job-id, or none" in errors
    assert run("cancel", "long-1", *thing, "--force")[0] == 0
    assert device.ended("long-1")["status"] == "CANCELED"
    status, out, _ = run("watch", "long-1", *board)
    assert status == 1 and f"{device.thing} CANCELED" in out
    status, _, errors = run("watch", "none", *board)
    assert status == 1 and "there is no job none" in errors
    assert run("run", "delete-file,/files/none", *board, *thing, "--watch")[0] == 1
    assert run("run", "gpio,led,explode", *board, *thing)[0] == 1
    assert run("run", "report", *board, *thing, "--job-id", "notify")[0] == 2
    status, out, _ = run("run", '{"operation":"fly"}', *board, *thing, "--force", "--watch")
    assert status == 1 and "UNKNOWN_OPERATION" in out


def test_a_group_gets_a_job(device: Device, run: Run) -> None:
    device.iot.create_thing_group(thingGroupName="lamps")
    device.iot.add_thing_to_thing_group(thingGroupName="lamps", thingName=device.thing)
    device.close()
    words = (
        "run",
        "report",
        "--group",
        "lamps",
        "--board",
        device.board.name,
        "--watch",
        "--json",
    )
    status, out, errors = run(*words)
    assert status == 0, errors
    assert json.loads(out)["executions"][device.thing]["status"] == "SUCCEEDED"
    assert run("run", "report", "--group", "none")[0] == 1


def test_lint_says_what_a_board_would_say(run: Run) -> None:
    for path in EXAMPLES.glob("*.json"):
        wanted = 1 if path.stem == "aws-install-application" else 0
        assert run("lint", str(path))[0] == wanted, path
    status, out, _ = run("lint", '{"operation": "gpio", "pin": "flash", "action": "on"}', "--json")
    assert status == 1 and json.loads(out)["code"] == "UNKNOWN_PIN"


def test_lint_warns_of_what_a_board_may_have_no_room_for(run: Run) -> None:
    step = {"operation": "reboot", "_why": "x" * 1600}
    for document, wanted in (
        (step, ""),
        ({**step, "_why": "x" * 2000}, "the document has 20"),
        ({"steps": [step]}, ""),
        ({"steps": [{"operation": "reboot"}, step]}, "steps[1] has 16"),
        ({"steps": [{"operation": "reboot"}] * 2, "_why": "x" * 1600}, "the document has 16"),
    ):
        status, out, errors = run("lint", json.dumps(document))
        assert status == 0 and "valid" in out
        assert wanted in errors and bool(wanted) == ("without PSRAM" in errors), errors


def test_random_documents_end_and_those_that_are_wrong_are_rejected(device: Device) -> None:
    from host_tools import boards
    from host_tools.job_documents import check

    board = boards.load(BOARD)
    made = Documents(random.Random(7), board, without=SLOW)  # noqa: S311 (no secrets)
    for _ in range(20):
        document = made.valid()
        status, details = device.run_job(document)
        assert status in ("SUCCEEDED", "FAILED"), (document, details)
    for _ in range(20):
        document = made.damaged()
        if not isinstance(document, dict):
            continue  # the service takes no such document
        rejection = check(document, board)
        status, details = device.run_job(document)
        if rejection:
            assert status == "REJECTED" and details["reason"], (document, details)
        else:
            assert status in ("SUCCEEDED", "FAILED"), (document, details)
    assert device.run_job({"operation": "gpio", "pin": "led", "action": "on"})[0] == "SUCCEEDED"


def test_an_operation_of_ones_own_is_one_file(
    make_device: Callable[..., Device], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    text = (paths.ROOT / "docs" / "jobs" / "README.md").read_text("utf-8")
    source = text.split("```python\n")[1].split("```")[0]
    assert len([line for line in source.splitlines() if line.strip()]) <= 17
    firmware = tmp_path / "firmware"
    shutil.copytree(paths.FIRMWARE, firmware)
    (firmware / "sandbox" / "operations" / "beep.py").write_text(source)
    monkeypatch.setattr(paths, "FIRMWARE", firmware)
    monkeypatch.setattr(tables, "FOLDER", firmware / "sandbox" / "operations")
    tables.operations.cache_clear()
    try:
        assert tables.operations()["beep"].arguments["times"] == ("int", 1, "count")
        device = make_device()
        status, details = device.run_job({"operation": "beep", "pin": "relay", "times": 3})
        assert (status, details["beeps"]) == ("SUCCEEDED", "3")
        assert device.command("run beep,relay,2").status == 0
        levels = [edge["value"] for edge in device.board.edges() if edge["pin"] == 4]
        assert levels.count(1) == 5 and levels[-1] == 0
        assert any(line.startswith("beep pin=pin") for line in device.command("operations").lines)
    finally:
        tables.operations.cache_clear()
