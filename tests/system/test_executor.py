"""Jobs that the board runs by itself: pins, reboot, rejections, one after another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.board_fixture import eventually
from tests.device_fixture import Device

LED = 2


def levels(device: Device, gpio: int = LED) -> list[Any]:
    return [edge["value"] for edge in device.board.edges() if edge["pin"] == gpio]


def gpio(action: str, pin: str = "led") -> dict[str, str]:
    return {"operation": "gpio", "pin": pin, "action": action}


def test_gpio_job_switches_the_pin_and_reports(device: Device) -> None:
    status, details = device.run_job(gpio("on"))
    assert status == "SUCCEEDED"
    assert (details["pin"], details["state"], details["code"]) == ("led", "on", "OK")
    assert levels(device) == [1]
    assert device.run_job(gpio("toggle"))[1]["state"] == "off"
    assert device.run_job(gpio("toggle"))[1]["state"] == "on"
    assert levels(device) == [1, 0, 1]


def test_active_low_pin_is_driven_the_other_way(device: Device) -> None:
    assert device.run_job(gpio("on", "lamp"))[0] == "SUCCEEDED"
    assert levels(device, 5) == [0]


def test_jobs_run_one_after_another_in_order(device: Device) -> None:
    actions = ["on", "off"] * 3
    jobs = [device.create_job(gpio(action)) for action in actions]
    assert [device.ended(job_id)["status"] for job_id in jobs] == ["SUCCEEDED"] * len(jobs)
    assert levels(device) == [1, 0] * 3
    started = [device.execution(job_id)["startedAt"] for job_id in jobs]
    assert started == sorted(started)


@pytest.mark.parametrize("document", [{"Todo": "Reboot"}, {"operation": "reboot"}])
def test_reboot_job_reboots_once_and_reports_after_the_boot(
    device: Device, document: dict[str, str]
) -> None:
    boots = device.board.boot
    job_id = device.create_job(document)
    ended = device.ended(job_id)
    assert ended["status"] == "SUCCEEDED"
    assert ended["statusDetails"]["detailsMap"]["resetCause"] == "HARD_RESET"
    assert device.board.boot == boots + 1
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"
    assert device.board.boot == boots + 1


def test_a_pin_that_is_on_is_known_to_be_so_after_a_reboot(device: Device) -> None:
    device.run_job(gpio("on"))
    assert device.run_job({"operation": "reboot"})[0] == "SUCCEEDED"
    assert device.run_job(gpio("read"))[1]["state"] == "on"
    assert device.run_job(gpio("toggle"))[1]["state"] == "off"
    assert levels(device)[-1] == 0


def test_steps_run_in_order(device: Device) -> None:
    steps = [gpio("on"), gpio("on", "relay"), gpio("off")]
    status, details = device.run_job({"steps": steps})
    assert (status, details["steps"]) == ("SUCCEEDED", "3")
    assert levels(device) == [1, 0]
    assert levels(device, 4) == [1]


def test_a_reboot_among_steps_goes_on_behind_it(device: Device) -> None:
    boots = device.board.boot
    document = {"steps": [gpio("on"), {"operation": "reboot"}, gpio("on", "relay")]}
    assert device.run_job(document)[0] == "SUCCEEDED"
    assert device.board.boot == boots + 1
    assert levels(device).count(1) == 1
    assert levels(device, 4).count(1) == 1


NOT_FOR_THIS_BOARD: list[tuple[Any, str, str]] = [
    ({"Todo": "Delete Root User"}, "UNKNOWN_OPERATION", "Reboot"),
    ({"operation": "format-disk"}, "UNKNOWN_OPERATION", "format-disk"),
    ({"operation": "../app"}, "UNKNOWN_OPERATION", "no operation"),
    (gpio("on", "flash"), "UNKNOWN_PIN", "led"),
    ({"operation": "gpio", "pin": 2, "action": "on"}, "INVALID_ARGUMENT", "name of a pin"),
    (gpio("explode"), "INVALID_ARGUMENT", "on, off, toggle"),
    ({**gpio("on"), "for": 3}, "INVALID_ARGUMENT", "for"),
    ({"steps": []}, "INVALID_DOCUMENT", "1 to 20"),
    ({"steps": [gpio("on"), {"operation": "nothing"}]}, "UNKNOWN_OPERATION", "nothing"),
    ({"hello": "world"}, "INVALID_DOCUMENT", "neither"),
    ([1, 2], "INVALID_DOCUMENT", "object"),
]


def test_a_document_that_is_not_for_this_board_is_rejected(device: Device) -> None:
    for document, code, reason in NOT_FOR_THIS_BOARD:
        status, details = device.run_job(document)
        assert (status, details["code"]) == ("REJECTED", code), document
        assert reason in details["reason"], document
    assert device.board.edges() == [], "nothing may be done of it"


def test_a_document_too_large_for_the_board_is_rejected(device: Device) -> None:
    status, details = device.run_job({**gpio("on"), "comment": "x" * 30_000})
    assert (status, details["code"]) == ("REJECTED", "DOCUMENT_TOO_LARGE")
    assert device.run_job(gpio("on"))[0] == "SUCCEEDED"


def test_jobs_made_while_the_board_was_off_are_run(device: Device) -> None:
    device.close()
    device.board.stop()
    jobs = [device.create_job(gpio(action)) for action in ("on", "off")]
    device.board.start(bound=True)
    device.open()
    assert [device.ended(job_id)["status"] for job_id in jobs] == ["SUCCEEDED"] * 2


def test_a_power_cut_in_a_reboot_job_is_its_reboot(device: Device) -> None:
    job_id = device.create_job({"operation": "reboot"})
    eventually(lambda: device.execution(job_id)["status"] != "QUEUED")
    device.board.power_cut()
    assert device.ended(job_id)["status"] == "SUCCEEDED"
