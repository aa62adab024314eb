"""The virtual board's serial line, with the real mpremote and pyserial: REPL, Ctrl-C, bytes,
floods.
"""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import time
from pathlib import Path

import pexpect
import pytest

from host_tools.board.serial_line import LineEnds, SerialLog
from tests.board_fixture import DEADLINE_S, eventually

RNG = random.Random(7)  # noqa: S311  test data


def test_mpremote_files(board, tmp_path):
    data = RNG.randbytes(20_000)
    (tmp_path / "up.bin").write_bytes(data)
    board.mpremote("fs", "cp", str(tmp_path / "up.bin"), ":up.bin")
    assert hashlib.sha256(data).hexdigest() in board.mpremote("fs", "sha256sum", ":up.bin")
    board.mpremote("fs", "cp", ":up.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == data
    assert "Up to date" in board.mpremote("fs", "cp", str(tmp_path / "up.bin"), ":up.bin")
    board.mpremote("fs", "rm", ":up.bin")
    assert "up.bin" not in board.mpremote("fs", "ls")


def test_mpremote_folders(board, tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "a.txt").write_text("hello\n")
    (tmp_path / "d" / "e" / "b.txt").write_text("deep\n")
    board.mpremote("fs", "cp", "-r", str(tmp_path / "d"), ":")
    assert "b.txt" in board.mpremote("fs", "tree")
    assert "hello" in board.mpremote("fs", "cat", ":d/a.txt")
    assert "2097152" in board.mpremote("df")
    board.mpremote("rm", "-r", ":d")
    assert board.run("import os; print(os.listdir())") == "[]"


def test_mpremote_exec_run_eval(board, tmp_path):
    assert board.mpremote("exec", "print('é', 6*7)").strip() == "é 42"
    assert board.mpremote("eval", "[1, 2]").strip() == "[1, 2]"
    (tmp_path / "r.py").write_text("import sys\nprint(sys.platform)\n")
    assert board.mpremote("run", str(tmp_path / "r.py")).strip() == "esp32"
    board.mpremote("exec", "1/0", code=1)


def test_mpremote_mount_carries_every_byte(board, tmp_path):
    data = bytes(range(256)) * 8 + b"\n\r\n\x10\n\x10\x10"
    (tmp_path / "ten_chars_").write_bytes(data)  # length 10: a line feed in the protocol
    (tmp_path / "m.py").write_text("print('imported')\n")
    code = (
        "d = open('ten_chars_', 'rb').read(); import hashlib\n"
        "import m; print(hashlib.sha256(d).digest().hex())\n"
        "f = open('out', 'wb'); f.write(d); f.close()"
    )
    shown = board.mpremote("mount", str(tmp_path), "exec", code)
    assert "imported" in shown and hashlib.sha256(data).hexdigest() in shown
    assert (tmp_path / "out").read_bytes() == data


def test_mpremote_rtc_and_resets(board):
    assert board.mpremote("rtc").startswith("(2000, 1, 1, 5, 0,")
    board.mpremote("rtc", "--set")
    year = str(time.localtime().tm_year)
    assert board.mpremote("rtc").startswith(f"({year}, ")
    board.mpremote("soft-reset")
    board.mpremote("reset")
    eventually(lambda: (i := board.info()) and i.cause == 2 and i.up)
    assert board.mpremote("rtc").startswith(f"({year}, ")  # the RTC lives through a reset


def test_mpremote_repl(board):
    mpremote = str(Path(sys.executable).with_name("mpremote"))
    with pexpect.spawn(mpremote, ["connect", board.device, "repl"], timeout=DEADLINE_S) as repl:
        repl.expect("Connected to MicroPython")
        repl.send("print(3*14)\r")
        repl.expect("42\r\n>>> ")
        repl.send("\x1d")  # Ctrl-]
        repl.expect(pexpect.EOF)


LOOP = """
import asyncio
async def main():
    n = 0
    while True:
        await asyncio.sleep_ms(5)
        n += 1
        if n == 3: print('running')
asyncio.run(main())
"""


def test_ctrl_c_breaks_a_running_firmware_and_mpremote_gets_in(board):
    board.put(main_py=LOOP)
    with board.line() as line:
        line.send(b"\x04")
        line.read_until(b"running\r\n")
        line.send(b"\x03")
        assert b"KeyboardInterrupt: \r\n" in line.read_until(b">>> ")
        line.send(b"\x04")
        line.read_until(b"running\r\n")
    assert board.mpremote("exec", "print('in')").strip() == "in"


def test_ctrl_c_breaks_a_loop_that_never_sleeps(board):
    board.put(main_py="print('spin')\nwhile True: pass")
    with board.line() as line:
        line.send(b"\x04")
        line.read_until(b"spin\r\n")
        line.send(b"\x03")
        line.read_until(b">>> ")


def test_ctrl_c_right_after_a_reset_is_not_lost(board):
    board.put(main_py="import time\nprint('on')\nwhile True: time.sleep_ms(10)")
    for _ in range(3):
        with board.line() as line:
            line.send(b"\x04")
            line.read_until(b"soft reboot\r\n")
            line.send(b"\x03")
            line.read_until(b">>> ")


ECHO = """
import sys, micropython
micropython.kbd_intr(-1)
print('ready')
got = b''
while len(got) < 6: got += sys.stdin.buffer.read(1)
sys.stdout.buffer.write(got)
"""


def test_kbd_intr_lets_every_byte_through_and_is_armed_again_afterwards(board):
    with board.line() as line:
        line.send(b"\x01")
        line.read_until(b"to exit\r\n>")
        line.send(ECHO.encode() + b"\x04")
        line.read_until(b"ready\r\n")
        line.send(b"\x03\x00\xff\r\n\x10")
        assert line.read_until(b"\x04\x04>") == b"\x03\x00\xff\r\n\x10\x04\x04>"
        line.send(b"while True: pass\x04")
        line.read_until(b"OK")
        time.sleep(0.05)  # let it start: before, Ctrl-C would be for the REPL
        line.send(b"\x03")
        assert b"KeyboardInterrupt" in line.read_until(b"\x04>")


def test_fast_output_comes_whole(board):
    with board.line() as line:
        line.send(b"\x01")
        line.read_until(b"to exit\r\n>")
        line.send(b"for i in range(20000): print('line', i)\x04")
        shown = line.read_until(b"\x04\x04>")
    expected = b"OK" + b"".join(b"line %d\r\n" % i for i in range(20000))
    assert shown[:-3] == expected


def test_both_directions_at_once(board):
    code = (
        "import sys\nfor _ in range(20): d = sys.stdin.buffer.read(1000); "
        "sys.stdout.buffer.write(d)"
    )
    data = RNG.randbytes(20_000).replace(b"\x03", b"3")
    with board.line() as line:
        line.send(b"\x01")
        line.read_until(b"to exit\r\n>")
        line.send(code.encode() + b"\x04")
        line.read_until(b"OK")
        sender = threading.Thread(target=line.send, args=(data,))
        sender.start()
        assert line.read_until(b"\x04\x04>") == data + b"\x04\x04>"
        sender.join()


def test_a_board_that_nobody_listens_to_goes_on_and_the_newest_is_kept(board):
    board.put(
        main_py="for i in range(30000): print('flood', i)\nopen('done', 'w').close()\nprint('end')"
    )
    boot = board.boot
    board.reset()
    assert board.wait_for_boot(boot + 1)
    eventually(lambda: b"end\r\n" in board.files.serial_log.read_bytes()[-1000:])
    with board.line() as line:
        shown = line.read_until(b"end\r\n")
    assert b"flood 29999\r\n" in shown and len(shown) < 100_000
    assert (
        board.mpremote("exec", "import os; print(os.listdir())").strip() == "['done', 'main.py']"
    )


def test_the_log_keeps_what_was_printed(board):
    board.run("print('for the record')")
    assert b"for the record\r\n" in board.files.serial_log.read_bytes()


def test_the_log_is_bounded(tmp_path):
    log = SerialLog(tmp_path / "serial.log")
    for _ in range(40):
        log.write(b"x" * 100_000)
    log.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2 and max(sizes) <= 1_200_000


@pytest.mark.parametrize("cut", range(12))
def test_line_ends_are_the_same_however_the_bytes_are_cut(cut):
    sent = b"a\nb\r\nc\x10\nd\x10\x10\n"
    ends = LineEnds()
    assert ends.convert(sent[:cut]) + ends.convert(sent[cut:]) == b"a\r\nb\r\nc\nd\x10\r\n"


def test_nothing_of_the_launcher_is_seen(board):
    assert board.run("print(sorted(globals()))", soft_reset=True) == "['__file__', '__name__']"
    assert board.run("import sys; print(sys.path)") == "['', '.frozen', '/lib']"
    assert board.run("import os; print(os.getcwd(), os.listdir('/'))") == "/ []"
