"""README.md, docs/jobs and boards/README.md: every command in them runs, in their order, on a
computer where nothing has run before. (The other pages: tests/host/test_…_docs.py.)
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools import paths
from host_tools.board import VirtualBoard
from host_tools.board.edges import recorded
from host_tools.cloud import local
from tests.board_fixture import DEADLINE_S, eventually

CLI = [sys.executable, "-m", "host_tools"]
EXAMPLE = paths.ROOT / "docs" / "jobs" / "examples" / "gpio-blink.json"
LED = 2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A computer where nothing has run before."""
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    yield tmp_path
    VirtualBoard("sandbox").stop()
    local.stop()


def lines(*page: str, marks: str = r"^```\n(.*?)^```") -> list[str]:
    """Return the commands of a page, without comments, continued lines as one."""
    text = (paths.ROOT / Path(*page)).read_text("utf-8")
    blocks = "".join(re.findall(marks, text, re.MULTILINE | re.DOTALL))
    whole = re.sub(r"\\\n\s+", "", blocks).splitlines()
    return [re.split(r"\s{2,}", line.strip())[0] for line in whole]


def run(command: str) -> str:
    """Run a command of a page as it stands there; return what it prints."""
    program, *words = shlex.split(command)
    if program == "make":
        return make(words[0])
    assert program == "jobs-sandbox", command
    if words[:2] == ["board", "pins"] and len(words) > 2:
        return first_line([*CLI, *words])
    done = subprocess.run(
        [*CLI, *words],
        cwd=paths.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE_S,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def make(target: str) -> str:
    """What takes minutes, or would be this test again, must be a target; the others run."""
    recipe = subprocess.run(
        ["make", "-n", target], cwd=paths.ROOT, capture_output=True, text=True, check=True
    ).stdout
    if target != "stop":
        return recipe
    found = re.findall(r" ((?:board|cloud) stop.*)$", recipe, re.MULTILINE)
    assert len(found) == 2, recipe
    return "".join(run(f"jobs-sandbox {words}") for words in found)


def first_line(command: list[str]) -> str:
    """Return the first line of a command that goes on until Ctrl-C."""
    process = subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        return process.stdout.readline()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)


def test_every_command_runs(home: Path) -> None:
    commands = lines("README.md")
    assert len(commands) == 12, commands
    said = {command: run(command.split(" && ")[0]) for command in commands[:-2]}
    assert "connected as my-thing" in said["jobs-sandbox deploy"]
    board = VirtualBoard("sandbox")
    eventually(lambda: [edge["value"] for edge in recorded(board.files) if edge["pin"] == LED])
    assert "led" in run(commands[-2])

    text = (paths.ROOT / "README.md").read_text("utf-8")
    inline = re.findall(r"`(jobs-sandbox console --command [^`]+)`", text)
    assert inline and "thing: my-thing" in run(inline[0])
    jobs = lines("docs", "jobs", "README.md", marks=r"^    (?=jobs-sandbox|> )(.*?\n)")
    assert len(jobs) == 5, jobs
    for command in jobs:
        command = command.replace("FILE", str(EXAMPLE)).replace("JOB_ID", "light")
        if command.startswith(">"):
            command = f"jobs-sandbox console --command '{command[2:]}'"
        run(command)
    about_boards = lines("boards", "README.md", marks=r"^    (?=jobs-sandbox board )(.*?\n)")
    assert len(about_boards) == 3, about_boards
    for command in about_boards:
        run(command)
    stopped = run(commands[-1])
    assert "stopped" in stopped and local.status() is None and board.info() is None
