"""Deploying while things go wrong on a real virtual board: nothing is lost, the cause is told."""

from __future__ import annotations

import pytest
import serial

from host_tools.deploy.plan import sha256
from host_tools.deploy.raw_repl import RawRepl
from host_tools.errors import ToolError
from tests.host.deploy_bench import *  # noqa: F403
from tests.host.deploy_bench import CONNECTS, Bench


class PowerCut:
    """Cuts the board's power once, when a part of all bytes is sent."""

    def __init__(self, bench: Bench, at: float) -> None:
        self._bench = bench
        self._at = at
        self.sent = self.total = 0

    def __call__(self, sent: int, total: int) -> None:
        if sent >= self._at * total and not self.sent:
            self.sent, self.total = sent, total
            self._bench.board.power_cut()


def many(bench: Bench, count: int, filling: str) -> None:
    for number in range(count):
        (bench.firmware / "sandbox" / f"data{number}.txt").write_text(filling * 1000)


@pytest.mark.parametrize("at", [0.2, 0.8])
def test_power_cut_leaves_the_old_application_and_the_next_deploy_finishes(
    at: float, bench: Bench
) -> None:
    many(bench, 8, "old ")
    bench.deploy()
    before = bench.files()
    many(bench, 8, "new ")
    bench.write(greeting="x = 1\n", main=CONNECTS + "# new\n")
    cut = PowerCut(bench, at)
    with pytest.raises(ToolError, match="virtual board deploy") as caught:
        bench.deploy(progress=cut)
    assert caught.value.hint
    bench.interrupt()
    after = bench.files()
    assert {name: after[name] for name in before} == before  # whole, and runs
    staged = [name for name in after if name.endswith(".new")]
    assert staged

    done = bench.deploy()
    assert done.connected
    # what had been sent is not sent again, but for the file that was cut in two and the manifest
    assert done.bytes <= cut.total - cut.sent + 4000 + 2000
    found = bench.files()
    assert set(found) == set(before)
    assert found["/sandbox/data7.txt"] == sha256(b"new " * 1000)


def test_board_in_which_half_a_command_was_left_is_brought_back(bench: Bench) -> None:
    bench.deploy()
    with serial.Serial(bench.board.device) as port:
        port.write(b"\x05A\x01")  # at the prompt, which Ctrl-C will bring, that is paste mode
    assert bench.deploy().connected


def test_board_that_goes_away_is_named(bench: Bench) -> None:
    many(bench, 8, "new ")

    def pull_the_plug(sent: int, total: int) -> None:
        if sent:
            bench.board.stop()

    with pytest.raises(ToolError, match=r"is gone: .* was unplugged, reset or switched off"):
        bench.deploy(progress=pull_the_plug)
    bench.board.start(bound=True)
    assert bench.deploy().connected


def fill(bench: Bench, blocks: int) -> None:
    """Leave `blocks` free blocks of 4096 bytes."""
    bench.on_board(
        "import os\n"
        "f = open('/filler', 'wb')\n"
        "block = bytes(4096)\n"
        f"while os.statvfs('/')[3] > {blocks + 2}:\n"
        "    f.write(block)\n"
        "f.close()"
    )


def test_full_board_is_told_before_anything_is_sent(bench: Bench) -> None:
    bench.deploy()
    fill(bench, 4)
    before = bench.files()
    many(bench, 8, "new ")
    with pytest.raises(ToolError, match=r"is full: \d+ bytes to put, \d+ free"):
        bench.deploy()
    assert bench.files() == before


def test_board_that_gets_full_keeps_the_old_application(bench: Bench) -> None:
    bench.deploy()
    fill(bench, 9)
    before = bench.files()
    for number in range(25):  # each takes a block, though they are smaller than what is free
        (bench.firmware / "sandbox" / f"data{number}.txt").write_text("new " * 200)
    with pytest.raises(ToolError, match=r"board deploy is full$") as caught:
        bench.deploy()
    assert "fs tree" in caught.value.hint
    after = bench.files()
    assert {name: after[name] for name in before} == before
    bench.on_board("import os; os.remove('/filler')")
    assert bench.deploy().connected


def test_port_in_use_is_told_with_the_program(bench: Bench) -> None:
    holder = RawRepl(bench.board.device, "board")
    try:
        with pytest.raises(ToolError, match=r"tty is in use by "):
            bench.deploy()
    finally:
        holder.close()
    assert bench.deploy().connected
