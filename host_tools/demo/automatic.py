"""Executor mode: the board runs jobs by itself, switches a pin, reboots, and reports."""

from __future__ import annotations

import json
import re
from typing import Any

from host_tools.demo.aws_cli import AwsCli
from host_tools.demo.board_view import BoardView
from host_tools.demo.stage import Stage

_HARD_RESET = 2  # machine.HARD_RESET, ports/esp32/modmachine.c


class Executor:
    """`light` and `reboot` are the ids of the two jobs."""

    def __init__(
        self, stage: Stage, board: BoardView, aws: AwsCli, arn: str, light: str, reboot: str
    ) -> None:
        self._stage = stage
        self._board = board
        self._aws = aws
        self._arn = arn
        self._light, self._reboot = light, reboot

    def run(self) -> None:
        """Do all of it. Raises DemoError at the first thing that does not happen."""
        self._switch_on()
        self._light_job()
        self._reboot_job()

    def _switch_on(self) -> None:
        self._stage.step("Executor mode: from now on the board does jobs by itself")
        lines = self._board.command("executor on")
        self._stage.require("the executor", lines, ["executor: on"])

    def _light_job(self) -> None:
        self._stage.step("A job that lights the LED: watch the pin, then the report")
        self._create(self._light, {"operation": "gpio", "pin": "led", "action": "on"})
        self._board.edge("led", 1)
        self._board.logged(f"{re.escape(self._light)} SUCCEEDED")
        self._reported(self._light, {"pin": "led", "state": "on"})

    def _reboot_job(self) -> None:
        self._stage.step("A job that reboots the board: it reports only after the boot")
        before = self._board.board.require_running()
        self._create(self._reboot, {"operation": "reboot"})
        self._board.logged(f"{re.escape(self._reboot)} SUCCEEDED")
        self._board.ready_again()
        after = self._board.board.require_running()
        found = (after.boot - before.boot, after.cause)
        self._stage.require("resets, and cause of the last", found, (1, _HARD_RESET))
        self._reported(self._reboot, {"resetCause": "HARD_RESET"})

    def _create(self, job_id: str, document: dict[str, str]) -> None:
        text = json.dumps(document, separators=(",", ":"))
        self._aws.iot("create-job", "--job-id", job_id, "--targets", self._arn, "--document", text)

    def _reported(self, job_id: str, details: dict[str, str]) -> None:
        thing = self._arn.rpartition("/")[2]
        answer: dict[str, Any] = self._aws.iot(
            "describe-job-execution", "--job-id", job_id, "--thing-name", thing
        )
        execution = answer["execution"]
        self._stage.require("status in the cloud", execution["status"], "SUCCEEDED")
        told = execution["statusDetails"].get("detailsMap", {})
        found = {name: told.get(name) for name in details}
        self._stage.require("details in the cloud", found, details)
