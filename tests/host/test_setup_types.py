"""The firmware's type check knows what a stock ESP32 build has, and nothing of CPython."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import esp32_stubs, paths
from host_tools.errors import ToolError

GOOD = """
import asyncio
import json
import os
import socket
import sys
import time
import esp32
import machine
import neopixel
import network
import ntptime
import tls
from micropython import const
from umqtt.simple import MQTTClient

_ONE = const(1)

def use(raw: socket.socket) -> str:
    raw.setsockopt(6, 1, _ONE)
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    machine.Pin(2, machine.Pin.OUT).value(1)
    os.rename("a", "b")
    return json.dumps([time.ticks_ms(), os.stat("a")[6]])

async def run() -> bytes:
    flag = asyncio.ThreadSafeFlag()
    await asyncio.wait_for_ms(flag.wait(), 3)
    stream = asyncio.StreamReader(sys.stdin.buffer)
    stream.write(b"x")
    await stream.drain()
    return await stream.read(1)
"""

# What only CPython, or only the Unix port, has.
LACKING = [
    "import os; os.fork()",
    "import os; os.path.join('a')",
    "import os; os.getenv('a')",
    "import os; os.system('a')",
    "import socket; socket.create_connection(('a', 1))",
    "import asyncio; asyncio.timeout(1)",
    "import asyncio; asyncio.to_thread(print)",
    "import asyncio; asyncio.Queue()",
    "import json; json.JSONEncoder()",
    "import re; re.finditer('', '')",
    "import struct; struct.Struct('a')",
    "import collections; collections.Counter()",
    "import time; time.monotonic()",
    "import machine; machine.Pim(2)",
    "import pathlib",
    "import subprocess",
    "import threading",
    "import contextlib",
    "import dataclasses",
    "import enum",
    "import datetime",
    "from __future__ import annotations",
]


def check(program: Path) -> str:
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy-firmware.ini", "--cache-dir",
         str(program.parent / "cache"), str(program)],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return answer.stdout


def test_what_a_board_has_passes(tmp_path: Path) -> None:
    program = tmp_path / "good.py"
    program.write_text(GOOD)
    assert check(program) == "Success: no issues found in 1 source file\n"


def test_what_no_board_has_is_reported(tmp_path: Path) -> None:
    program = tmp_path / "lacking.py"
    program.write_text("\n".join(LACKING))
    reported = {int(line) for line in re.findall(r"lacking\.py:(\d+): error", check(program))}
    assert [LACKING[line - 1] for line in reported] == LACKING


def test_every_stock_name_exists_in_the_stubs(tmp_path: Path) -> None:
    program = tmp_path / "names.py"
    lines = [
        f"from {module} import {name}"
        for module, names in esp32_stubs.STOCK_NAMES.items()
        for name in names.split()
    ]
    program.write_text("\n".join(lines))
    assert check(program).startswith("Success")


def test_stub_that_changed_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esp32_stubs, "ADDITIONS", {"tls.pyi": ("class Gone:", "")})
    with pytest.raises(ToolError, match=r"the published stub tls\.pyi has changed"):
        esp32_stubs.build(tmp_path / "stubs")
