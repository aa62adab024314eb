"""Sets the demo up, lets it run, and takes down what it set up.

A cloud that runs already is used and left running. Board and thing are the demo's own; jobs that
an earlier run left on that thing are removed, ids that are taken by others are passed by.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_tools.board import VirtualBoard
from host_tools.cloud import local
from host_tools.cloud.access import Cloud, aws_errors
from host_tools.console import terminal
from host_tools.demo.automatic import Executor
from host_tools.demo.aws_cli import AwsCli
from host_tools.demo.board_view import BoardView
from host_tools.demo.manual import Walkthrough
from host_tools.demo.stage import Stage
from host_tools.deploy import Device, deploy
from host_tools.identity import ThingIdentity
from host_tools.provision import provision
from host_tools.sandbox.private_board import private_board
from host_tools.target import Target

_BOARD = "demo"
_JOBS = ("TestJob", "QuestionableJob", "demo-light", "demo-reboot")
_ANSWER_S = 30.0
_AFTER = "what the demo started is stopped"


def run(*, fast: bool, on_terminal: bool) -> int:
    """Show everything. Returns 0; raises ToolError if anything does not happen as it must."""
    stage = Stage(fast=fast)
    stage.say("Jobs Sandbox: MicroPython firmware on a virtual ESP32, jobs from an IoT Core.")
    with _cloud(stage) as cloud, _board(stage) as board:
        stage.step("Make a thing with its key, certificate and policy")
        thing = provision(cloud, f"sandbox-{board.name}")
        with _jobs(cloud, thing) as jobs:
            stage.step("Put the firmware on the board; it connects over mutual TLS")
            target = Target(board.device, board, lasts=False)
            deploy(target, Device.of(thing))
            _perform(stage, board, AwsCli(stage, cloud), thing, jobs)
            _say_what_next(stage, board, thing, on_terminal)
            if on_terminal:
                terminal.run(target, start=False, timeout_s=_ANSWER_S, after=_AFTER)
    return 0


def _perform(
    stage: Stage, board: VirtualBoard, aws: AwsCli, thing: ThingIdentity, jobs: list[str]
) -> None:
    first, second, light, reboot = jobs
    view = BoardView(stage, board)
    with view.watching():
        Walkthrough(stage, view, aws, thing.thing, first, second).run()
        view.forget_events()
        Executor(stage, view, aws, thing.thing_arn, light, reboot).run()


@contextlib.contextmanager
def _cloud(stage: Stage) -> Iterator[Cloud]:
    stage.step("Start a local IoT Core")
    was_running = local.status() is not None
    info = local.start(bound=True)
    stage.shell(["jobs-sandbox", "cloud", "start"])
    stage.output(f"{info.endpoint_url} and MQTT {info.mqtt_host}:{info.mqtt_port}")
    if was_running:
        stage.output("it was running already, and will be left running")
    try:
        yield Cloud("local", info.endpoint_url, info.region, local_info=info)
    finally:
        if not was_running:
            local.stop()


@contextlib.contextmanager
def _board(stage: Stage) -> Iterator[VirtualBoard]:
    stage.step("Switch a virtual board on, an ESP32 that is MicroPython's Unix port")
    with private_board(_BOARD) as board:
        stage.shell(["jobs-sandbox", "board", "start", board.name])
        stage.output(board.device)
        yield board


@contextlib.contextmanager
def _jobs(cloud: Cloud, thing: ThingIdentity) -> Iterator[list[str]]:
    # ids for the demo's jobs; whatever jobs the thing has are removed before and after
    iot = cloud.client("iot")
    with aws_errors():
        _remove_jobs(iot, thing)
        yield [_free(iot, job_id) for job_id in _JOBS]
        _remove_jobs(iot, thing)


def _remove_jobs(iot: Any, thing: ThingIdentity) -> None:
    pages = iot.get_paginator("list_job_executions_for_thing").paginate(thingName=thing.thing)
    found = {each["jobId"] for page in pages for each in page["executionSummaries"]}
    for job_id in sorted(found):
        targets = iot.describe_job(jobId=job_id)["job"]["targets"]
        if targets == [thing.thing_arn]:
            iot.delete_job(jobId=job_id, force=True)


def _free(iot: Any, job_id: str) -> str:
    for number in itertools.count(1):
        candidate = job_id if number == 1 else f"{job_id}-{number}"
        try:
            iot.describe_job(jobId=candidate)
        except iot.exceptions.ResourceNotFoundException:
            return candidate
    raise AssertionError("unreachable")


def _say_what_next(
    stage: Stage, board: VirtualBoard, thing: ThingIdentity, on_terminal: bool
) -> None:
    cli = _program()
    stage.say("\nAll of it happened as it must.")
    if not on_terminal:
        stage.say(f"Next: a board that stays: {cli} cloud start; {cli} board start;")
        stage.say(f"  {cli} provision my-thing; {cli} deploy; {cli} console")
        return
    stage.say("Now it is yours: the board's console follows. In another terminal, for instance:")
    job = ["--job-id", "my-job", "--targets", thing.thing_arn]
    document = '{"operation":"gpio","pin":"led","action":"toggle"}'
    stage.shell([cli, "aws", "iot", "create-job", *job, "--document", document])
    stage.shell([cli, "board", "pins", board.name, "--follow"])
    stage.say("When you leave the console, everything that the demo started is stopped.")


def _program() -> str:
    # how the user calls this program
    name = "jobs-sandbox"
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) == str(beside) or not beside.exists():
        return name
    return os.path.relpath(beside)
