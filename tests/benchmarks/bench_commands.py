"""How long a user waits for the commands."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host_tools.paths import ROOT
from tests.benchmarks.figures import Spread
from tests.benchmarks.table import Table

_CLI = [sys.executable, "-m", "host_tools"]


def bench_commands(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = Spread.of([_timed([sys.executable, "-c", ""]) for _ in range(5)])
    helps = Spread.of([_timed([*_CLI, "--help"]) for _ in range(5)])
    table.add(
        "jobs-sandbox --help",
        helps.text("s"),
        beside=f"Python, to do nothing: {python.text('s')}",
        target="reported",
        ratios={"help_to_python": helps.median / python.median},
    )
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    demos = Spread.of([_timed([*_CLI, "demo"]) for _ in range(2)][1:])
    table.add("make demo, warm", f"{demos.median:.1f} s", target="reported")
    if os.environ.get("JOBS_SANDBOX_BENCH_TESTS"):
        tests = _timed([sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope"])
        table.add("make test", f"{tests:.0f} s", target="reported")


def _timed(command: list[str]) -> float:
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    took = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    return took
