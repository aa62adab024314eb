"""`jobs-sandbox demo`: it shows what it promises, checks it, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from host_tools import paths
from host_tools.board import list_boards
from host_tools.cloud import access, local
from host_tools.demo.aws_cli import AwsCli
from host_tools.demo.board_view import BoardView
from host_tools.demo.manual import Walkthrough
from host_tools.demo.stage import DemoError, Stage
from tests.board_fixture import eventually
from tests.device_fixture import Device

COMMAND = [sys.executable, "-m", "host_tools", "demo"]
JOB = "arn:aws:iot:us-east-1:000000000000:job/"


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder that no cloud runs in."""
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    yield tmp_path
    local.stop()


def shown(output: str, *patterns: str) -> None:
    """Check that the patterns are found, one behind the other."""
    position = 0
    for pattern in patterns:
        found = re.compile(pattern, re.MULTILINE).search(output, position)
        assert found, (
            f"{pattern!r} is not behind\n{output[:position]}\n--- but here is\n{output[position:]}"
        )
        position = found.end()


def test_whole_demo_also_after_one_that_was_killed(own_home: Path) -> None:
    killed = subprocess.Popen(COMMAND, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    for line in killed.stdout:
        if line.startswith("board | start-next-pending-job-execution result"):
            break  # TestJob is in progress now
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    eventually(lambda: not list_boards() and local.status() is None)

    done = subprocess.run(
        [*COMMAND], cwd=paths.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown(
        done.stdout,
        r"^  \$ jobs-sandbox cloud start$",
        r"^  \$ jobs-sandbox board start demo$",
        r"^board > get-pending-job-executions$",
        r'^board \| get-pending-job-executions result: \{"inProgressJobs":\[\],"queuedJobs":\[\]',
        r"^  \$ aws iot create-job --job-id TestJob --targets \S+ --document '.*Reboot.*'$",
        rf'^        "jobArn": "{JOB}TestJob"',
        r"^  \$ aws iot create-job --job-id QuestionableJob ",
        r"^board > start-next-pending-job-execution$",
        r"^board > update-job-execution TestJob SUCCEEDED$",
        r"^board \| Received NextJobExecutionChanged event:  .*Delete Root User",
        r"^board > update-job-execution QuestionableJob FAILED$",
        r'^board \| Received JobExecutionsChanged event:  \{"jobs":\{\}',
        r"^  \$ aws iot delete-job --job-id QuestionableJob$",
        r"^board > executor on$",
        r"^  \$ aws iot create-job --job-id demo-light ",
        r"^pin   \| \d\d:\d\d:\d\d\.\d{3} GPIO2 led: 1$",
        r'^            "status": "SUCCEEDED"',
        r"^  \$ aws iot create-job --job-id demo-reboot ",
        r"^board - the board restarts$",
        r"^board \| I .* demo-reboot SUCCEEDED boot=2 .*resetCause=HARD_RESET$",
        r'^                    "resetCause": "HARD_RESET"',
        r"^All of it happened as it must\.$",
    )
    assert local.status() is None
    assert list_boards() == []
    assert list((own_home / "boards").iterdir()) == []


def test_terminal_gets_the_console_beside_what_was_running(
    device: Device, local_cloud: access.Cloud
) -> None:
    device.create_job({"Todo": "nothing"}, "TestJob")  # the user's own, so the id is taken
    before = {info.name for info in list_boards()}
    demo = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "--fast"],
        cwd=str(paths.ROOT),
        env={**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1"},
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 300),
    )
    demo.expect("it was running already")
    demo.expect("create-job --job-id TestJob-2 ")
    demo.expect("All of it happened as it must")
    demo.expect("Now it is yours")
    demo.expect("sandbox-demo>")
    arn = "arn:aws:iot:us-east-1:000000000000:thing/sandbox-demo"
    document = '{"operation":"gpio","pin":"led","action":"toggle"}'
    device.aws("iot", "create-job", "--job-id", "mine", "--targets", arn, "--document", document)
    demo.expect("jobs: mine SUCCEEDED .*state=off")  # the demo has left it on
    demo.send("exit\r")
    demo.expect("left; what the demo started is stopped")
    demo.expect(pexpect.EOF)
    demo.close()
    assert demo.exitstatus == 0
    assert {info.name for info in list_boards()} == before
    assert local.status() is not None
    assert device.iot.describe_job(jobId="TestJob")["job"]["targets"] == [device.made.thing_arn]
    device.iot.delete_job(jobId="TestJob", force=True)  # other tests of this cloud make it, too


def test_what_does_not_happen_as_it_must_is_told(manual: Device) -> None:
    job = manual.create_job({"Todo": "in the way"})
    manual.expect("NextJobExecutionChanged")
    manual.close()
    with pytest.raises(DemoError, match=r"step 1, 'Manual mode.*jobs in progress, and queued"):
        walk(manual)
    assert manual.execution(job)["status"] == "QUEUED"


def test_event_too_many_is_told(manual: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    # the job of the second step is made before the first has been looked at
    manual.close()
    original = Walkthrough._create
    monkeypatch.setattr(
        Walkthrough,
        "_create",
        lambda self, job_id, document: (
            original(self, job_id, document),
            manual.create_job({"Todo": "one more"}),
        ),
    )
    with pytest.raises(DemoError, match="instead of"):
        walk(manual)


def test_failing_aws_cli_is_told(manual: Device) -> None:
    manual.close()
    with pytest.raises(DemoError, match=r"the AWS CLI says: .*ResourceNotFoundException"):
        walk(manual, thing="no-such-thing")


def walk(device: Device, thing: str = "") -> None:
    stage = Stage(fast=True)
    view = BoardView(stage, device.board)
    with view.watching():
        aws = AwsCli(stage, device.cloud)
        Walkthrough(stage, view, aws, thing or device.thing, "first", "second").run()
