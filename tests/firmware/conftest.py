"""Runs the tests of this folder inside MicroPython's Unix port, each in a process of its own.

The heap is that of a plain ESP32, scaled by the word size. pytest collects the functions by reading the files; what
a test prints and its MicroPython traceback are shown when it fails.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tools import interpreter
from host_tools.board.files import BoardFiles

HEAP = "56wK"
_TIMEOUT_S = 60
_RUNNER = Path(__file__).parent / "runner.py"


class FirmwareTestFailure(Exception):
    """Holds what MicroPython printed."""


class FirmwareTest(pytest.Item):
    """One test function of a file."""

    def runtest(self) -> None:
        folder = self.config._tmp_path_factory.mktemp("firmware")  # type: ignore[attr-defined]
        command = [interpreter.find(), "-X", f"heapsize={HEAP}", _RUNNER, self.path, self.name]
        with Path(os.devnull).open("wb") as control:
            done = subprocess.run(
                command,
                cwd=folder,
                env=os.environ | _chip(folder) | {"VB_CONTROL": str(control.fileno())},
                pass_fds=(control.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
            )
        if done.returncode:
            raise FirmwareTestFailure(done.stdout or f"exit status {done.returncode}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, FirmwareTestFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}::{self.name} (MicroPython)"


class FirmwareFile(pytest.File):
    """A test file that only MicroPython imports."""

    def collect(self) -> Iterator[FirmwareTest]:
        for node in ast.parse(self.path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name.startswith("test_"):
                    yield FirmwareTest.from_parent(self, name=node.name)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector:
    """Take the files of this folder out of CPython's hands."""
    return FirmwareFile.from_parent(parent, path=module_path)


def _chip(folder: Path) -> dict[str, str]:
    # what the virtual board's hardware stand-ins need of their supervisor
    BoardFiles(folder).make_missing()
    return {
        "VB_DIR": str(folder),
        "VB_CHIP": "ESP32",
        "VB_BUILD": "ESP32_GENERIC",
        "VB_BOOT": "1",
        "VB_CAUSE": "1",
        "VB_UID": "240ac4000001",
        "VB_RAW": "0",
        "VB_PINS": "{}",
        "VB_HEAP": "57344",
    }
