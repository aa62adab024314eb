"""The virtual board's flash: kept, counted, cut at any write."""

from __future__ import annotations

import itertools

from littlefs import LittleFS

from host_tools.board import faults
from host_tools.board.files import FLASH_SIZE
from tests.board_fixture import Board

OLD, NEW = "old " * 300, "new " * 400
REPLACE = f"import os\nf = open('t', 'w'); f.write({NEW!r}); f.close(); os.rename('t', 'f')"


def replace_file(board: Board) -> bool:
    """Replace `f` as the firmware replaces files; returns whether the power failed meanwhile."""
    boot = board.boot
    with board.line() as line:
        line.send(b"\x01")
        line.read_until(b"to exit\r\n>")
        line.send(REPLACE.encode() + b"\x04")
        shown = line.read_until(b">")
    if b"POWERON" not in shown:
        assert shown == b"OK\x04\x04>"
        return False
    assert board.wait_for_boot(boot + 1).cause == 1
    return True


def test_the_flash_is_kept(board):
    board.put(kept_txt="1")
    board.power_cut()
    assert board.run("print(open('kept.txt').read())") == "1"
    board.stop()
    board.start(bound=True)
    assert board.run("print(open('kept.txt').read())") == "1"


def test_the_image_is_a_littlefs_of_the_esp32s_size(board):
    board.put(hello_txt="from the board")
    data = board.files.flash.read_bytes()
    assert len(data) == FLASH_SIZE
    disk = LittleFS(block_size=4096, block_count=FLASH_SIZE // 4096, mount=False)
    disk.context.buffer = bytearray(data)
    disk.mount()
    with disk.open("hello.txt") as file:
        assert file.read() == "from the board"


def test_operations_are_counted_over_resets(board):
    before = faults.flash_operations(board.files)
    board.put(a_txt="1")
    middle = faults.flash_operations(board.files)
    board.power_cut()
    board.put(a_txt="2")
    assert before < middle < faults.flash_operations(board.files)


def test_power_cut_at_every_write_of_a_replacement(board):
    found = []
    for nth in itertools.count(1):
        board.put(f=OLD)
        at = faults.cut_power_at_write(board.files, nth, torn=nth % 2 == 0)
        if not replace_file(board):
            break
        assert faults.flash_operations(board.files) >= at
        found.append(board.run("print(open('f').read())"))
    assert len(found) >= 5
    assert set(found) <= {OLD, NEW} and OLD in found


def test_a_cut_happens_exactly_once_and_leaves_half_when_torn(board):
    at = faults.cut_power_at_write(board.files, 3)
    assert at == faults.flash_operations(board.files) + 3
    assert replace_file(board)
    boot = board.boot
    assert not replace_file(board)
    assert board.boot == boot
    assert board.run("print(open('f').read())") == NEW
