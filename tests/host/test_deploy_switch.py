"""The switch to a new application, with the power failing at each of its flash writes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
import serial

from host_tools.board import VirtualBoard, faults
from host_tools.deploy import scripts, upload
from host_tools.deploy.plan import Plan
from host_tools.deploy.raw_repl import RawRepl
from host_tools.errors import ToolError
from tests.host.deploy_bench import *  # noqa: F403
from tests.host.deploy_bench import Bench

# Says which versions its parts are of, and ends.
MIXED = """
from sandbox import one, two, three
print('application', {number}, one.V, two.V, three.V)
print('I 0.001 link: ready')
import time
time.sleep(60)
"""
WHOLE = [["1"] * 4, ["2"] * 4]


def version(bench: Bench, number: int) -> None:
    parts = dict.fromkeys(("one", "two", "three"), f"V = {number}\n")
    bench.write(main=MIXED.format(number=number), **parts)


class StoppedError(Exception):
    """The deploy has come to the switch."""


class Switch:
    """A board on which everything lies ready for the switch; it can be brought back to that."""

    def __init__(self, board: VirtualBoard, script: str) -> None:
        self._board = board
        self._script = script
        board.stop()
        self._flash = board.files.flash.read_bytes()

    def again(self) -> None:
        self._board.stop()
        faults.release(self._board.files)
        self._board.files.flash.write_bytes(self._flash)
        self._board.start()

    def writes(self) -> int:
        """Return how often the switch writes the flash."""
        self.again()
        before = faults.flash_operations(self._board.files)
        with serial.Serial(self._board.device, timeout=0.05) as port:
            self._send(port)
            read(port, rb"OK\x04\x04>")
        return faults.flash_operations(self._board.files) - before

    def cut(self, nth: int, torn: bool) -> list[str]:
        """Return the versions of what runs after the power failed at the `nth` write."""
        self.again()
        with serial.Serial(self._board.device, timeout=0.05) as port:
            self._send(port, lambda: faults.cut_power_at_write(self._board.files, nth, torn=torn))
            return read(port, rb"application (\d) (\d) (\d) (\d)")[1:]

    def _send(self, port: serial.Serial, before: Callable[[], object] = lambda: None) -> None:
        end = time.monotonic() + 60
        while not port.read(1000).endswith(b">>> "):
            assert time.monotonic() < end
            port.write(b"\x03")  # again, for it may not have started before
        port.write(b"\x01")
        read(port, rb"raw REPL; CTRL-B to exit\r\n>")
        before()
        port.write(self._script.encode() + b"\x04")


def read(port: serial.Serial, pattern: bytes) -> list[str]:
    """Return the match and its groups in what comes."""
    seen, end = b"", time.monotonic() + 60
    while not (found := re.search(pattern, seen)):
        assert time.monotonic() < end, f"{pattern!r} did not come: {seen[-500:]!r}"
        seen += port.read(max(1, port.in_waiting))
    return [found[0].decode(), *(group.decode() for group in found.groups())]


@pytest.fixture
def switch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switch]:
    version(bench, 1)
    bench.write(stray="")
    bench.deploy()
    (bench.firmware / "sandbox" / "stray.py").unlink()
    version(bench, 2)
    scripts_run: list[str] = []
    carry_out = upload.switch

    def stop(repl: RawRepl, plan: Plan) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(RawRepl, "run", lambda self, text, **more: scripts_run.append(text))
            carry_out(repl, plan)
        raise StoppedError

    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(upload, "switch", stop)
        bench.deploy()
    yield Switch(bench.board, scripts_run[0])
    faults.release(bench.board.files)
    bench.board.start()


def test_power_cut_at_any_write_of_the_switch_leaves_one_whole_application(
    bench: Bench, switch: Switch
) -> None:
    writes = switch.writes()
    assert writes > 10
    found = [switch.cut(nth, torn=nth % 2 == 0) for nth in range(1, writes + 1)]
    assert all(versions in WHOLE for versions in found), found
    assert found == sorted(found), "once it is the new one, it stays so"
    assert found[0] == WHOLE[0] and found[-1] == WHOLE[1]
    bench.interrupt()
    assert "/switch.txt" not in bench.files()
    assert not [name for name in bench.files() if name.endswith(".new")]
    assert bench.deploy().changed == []


def test_what_cannot_be_finished_is_told_and_finished_by_the_next_deploy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    version(bench, 1)
    bench.deploy()
    bench.on_board("import os; os.mkdir('/state'); open('/state/x', 'w').close()")
    version(bench, 2)
    with monkeypatch.context() as patch:
        more = scripts.SWITCH.replace("{lines!r}", "['-/state'] + {lines!r}")
        patch.setattr(scripts, "SWITCH", more)
        with pytest.raises(ToolError, match="board deploy failed: OSError: "):
            bench.deploy()
    bench.interrupt()
    with serial.Serial(bench.board.device, timeout=0.05) as port:
        port.write(
            b"\x04"
        )  # what can be done has been, and the rest does not keep it from running
        read(port, rb"boot: the deploy could not be finished: [^>]*application 2 2 2 2")
    assert bench.deploy().removed == ["/switch.txt"]
    assert "/state/x" in bench.files()
    assert "/switch.txt" not in bench.files()
