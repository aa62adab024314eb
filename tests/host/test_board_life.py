"""The virtual board's life: start, stop, boot order, resets and their causes, the watchdog."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from host_tools.board import VirtualBoard, list_boards
from host_tools.board.files import write_json
from host_tools.errors import ToolError, UsageError
from tests.board_fixture import Board, eventually

PWRON, HARD, WDT, DEEPSLEEP, SOFT = 1, 2, 3, 4, 5
CAUSE = "import machine; print(machine.reset_cause())"


def test_start_is_fast_and_does_nothing_the_second_time(make_board):
    before = time.monotonic()
    board = make_board()
    assert time.monotonic() - before < 8  # 0.2 s on an idle machine
    first = board.info()
    assert board.start() == first
    assert Path(board.device).is_symlink() and Path(first.tty) == Path(board.device)


def test_start_refuses_to_run_one_board_as_two_chips(board):
    with pytest.raises(ToolError, match="runs as ESP32") as caught:
        board.start(chip="ESP32C3")
    assert "board stop" in caught.value.hint


def test_stop_leaves_nothing_behind(board):
    info = board.info()
    assert board.stop() is True
    assert board.stop() is False
    assert board.info() is None
    assert not Path(board.device).is_symlink()
    for pid in (info.pid, info.micropython_pid):
        eventually(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))  # noqa: B023


def _is_zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


def test_a_killed_supervisor_takes_micropython_along_and_is_not_taken_for_running(board):
    info = board.info()
    os.kill(info.pid, signal.SIGKILL)
    eventually(lambda: board.info() is None)
    eventually(lambda: not Path(f"/proc/{info.micropython_pid}").exists())
    assert board.files.running.exists()  # stale
    assert board.start(bound=True).pid != info.pid


def test_stale_running_json_with_a_living_pid_is_not_believed(board):
    info = board.info()
    board.stop()
    write_json(board.files.running, {**info.as_dict(), "pid": os.getpid()})
    assert board.info() is None
    with pytest.raises(ToolError, match="is not running"):
        board.require_running()


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-a", "a b", "a" * 33, "é"])
def test_names_that_are_no_folder_names_are_refused(name):
    with pytest.raises(UsageError):
        VirtualBoard(name)


def test_unknown_chip_and_heap_are_refused(sandbox_home):
    with pytest.raises(UsageError, match="ESP8266"):
        VirtualBoard("t").start(chip="ESP8266")
    with pytest.raises(UsageError, match="heap"):
        VirtualBoard("t").start(heap="lots")


def test_a_missing_micropython_is_told_with_the_fix(sandbox_home, monkeypatch):
    monkeypatch.setenv("MICROPYTHON", "/nonexistent/micropython")
    with pytest.raises(ToolError, match="micropython") as caught:
        VirtualBoard("nothing").start()
    assert "make setup" in caught.value.hint


def test_boards_are_apart(make_board):
    one, two = make_board(), make_board(chip="ESP32S3")
    one.put(here_txt="one")
    assert two.run("import os; print(os.listdir())") == "[]"
    query = "import machine; print(machine.unique_id().hex())"
    assert one.run(query) != two.run(query)
    assert one.device != two.device
    assert {one.name, two.name} <= {info.name for info in list_boards()}


def test_the_unique_id_stays(board):
    query = "import machine; print(machine.unique_id().hex())"
    first = board.run(query)
    assert len(first) == 12
    board.stop()
    board.start(bound=True)
    assert board.run(query) == first


def test_boot_order_as_on_an_esp32(board):
    board.put(boot_py="print('boot'); x = 1", main_py="print('main', x, __name__, __file__)")
    with board.line() as line:
        line.send(b"\x04")
        line.read_until(b"MPY: soft reboot\r\n")
        assert line.read_until(b">>> ").startswith(b"boot\r\nmain 1 __main__ main.py\r\n")


def test_main_is_skipped_when_boot_raises_and_the_traceback_names_no_launcher(board):
    board.put(boot_py="def f():\n  1/0\nf()", main_py="print('main')")
    with board.line() as line:
        line.send(b"\x04")
        line.read_until(b"soft reboot\r\n")
        shown = line.read_until(b">>> ")
    assert shown.startswith(
        b"Traceback (most recent call last):\r\n"
        b'  File "boot.py", line 3, in <module>\r\n'
        b'  File "boot.py", line 2, in f\r\n'
        b"ZeroDivisionError: divide by zero\r\n"
    )
    assert b"main\r\n" not in shown


def test_system_exit_in_main_is_a_soft_reset(board):
    code = (
        "import machine\nprint('cause', machine.reset_cause())\n"
        "if machine.reset_cause() != 5: raise SystemExit"
    )
    board.put(main_py=code)
    board.power_cut()
    board.wait_for_boot(3)
    assert board.run(CAUSE) == str(SOFT)


def test_a_soft_reset_from_the_raw_repl_skips_main(board):
    board.put(boot_py="print('boot')", main_py="print('main')")
    with board.line() as line:
        line.send(b"\x01")
        line.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"\x04")
        shown = line.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        assert shown == b"OK\r\nMPY: soft reboot\r\nboot\r\nraw REPL; CTRL-B to exit\r\n>"
        line.send(b"\x02")
        line.read_until(b">>> ")
        line.send(b"\x04")
        assert line.read_until(b"main\r\n") == b"\r\nMPY: soft reboot\r\nboot\r\nmain\r\n"


def test_reset_causes(board):
    assert board.run(CAUSE) == str(PWRON)
    assert board.run(CAUSE, soft_reset=True) == str(SOFT)
    assert _cause_after(board, "import machine; machine.reset()") == HARD
    assert _cause_after(board, "import machine; machine.deepsleep(1)") == DEEPSLEEP
    assert _cause_after(board, "import machine; machine.WDT(timeout=100)\nwhile True: pass") == WDT
    assert _cause_after(board, "import machine; machine.soft_reset()") == SOFT
    assert board.power_cut().cause == PWRON
    assert board.reset().cause == HARD


def _cause_after(board: Board, code: str) -> int:
    boot = board.boot
    with board.line() as line:
        line.send(b"\x01")
        line.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(code.encode() + b"\x04")
        cause: int = board.wait_for_boot(boot + 1).cause
    return cause


def test_a_fed_watchdog_keeps_still_and_a_hanging_program_is_reset(board):
    code = (
        "import machine, time\nw = machine.WDT(timeout=1000)\n"
        "for _ in range(30): time.sleep_ms(50); w.feed()"
    )
    boot = board.boot
    board.run(code)
    assert board.boot == boot
    assert board.wait_for_boot(boot + 1).cause == WDT
    assert board.run("import time; time.sleep_ms(1200); print('still here')") == "still here"


def test_the_watchdog_survives_a_soft_reset_and_can_be_reconfigured(board):
    board.run("import machine; machine.WDT(timeout=2500)")
    boot = board.boot
    board.run("pass", soft_reset=True)
    assert board.wait_for_boot(boot + 2).cause == WDT
    board.run("import machine; machine.WDT(timeout=500); machine.WDT(timeout=600000)")
    boot = board.boot
    board.run("import time; time.sleep_ms(700)")
    assert board.boot == boot


def test_watchdog_arguments_are_checked(board):
    code = "import machine\ntry: machine.WDT(timeout=0)\nexcept ValueError as e: print(e)"
    assert board.run(code) == "WDT timeout too short"


def test_the_board_says_what_it_is(make_board):
    query = (
        "import sys, os; i = sys.implementation; "
        "print(sys.platform, i._build, i._machine, os.uname().sysname)"
    )
    assert make_board(chip="ESP32C6").run(query) == (
        "esp32 ESP32_GENERIC_C6-VIRTUAL Virtual ESP32C6 (Unix port) with ESP32C6 esp32"
    )


def test_idle_costs_nothing(board):
    pids = (board.info().pid, board.info().micropython_pid)

    def idle() -> bool:
        before = [_cpu_ticks(pid) for pid in pids]
        time.sleep(0.3)
        return [_cpu_ticks(pid) for pid in pids] == before  # a tick is 10 ms

    eventually(idle)


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_bound_board_ends_with_the_process_that_started_it(sandbox_home):
    import subprocess
    import sys

    code = (
        "from host_tools.board import VirtualBoard; import os; "
        "VirtualBoard('bound').start(bound=True); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    eventually(lambda: VirtualBoard("bound").info() is None)


def test_memory_is_that_of_a_plain_esp32(make_board):
    query = "import gc; gc.collect(); print(gc.mem_free())"
    free = int(make_board().run(query))
    word = 2 if free > 60000 else 1
    assert 53 * 1024 * word < free <= 56 * 1024 * word
    largest = f"bytearray({free - 4096}); print('one run')"
    assert make_board().run(largest) == "one run"
    assert int(make_board(heap="200K").run(query)) < 200 * 1024


def test_a_micropython_that_ends_at_once_is_given_up(sandbox_home, tmp_path, monkeypatch):
    broken = tmp_path / "micropython"
    broken.write_text('#!/bin/sh\ncase "$1" in -c) echo 1 29 0;; *) echo no luck; exit 1;; esac\n')
    broken.chmod(0o755)
    monkeypatch.setenv("MICROPYTHON", str(broken))
    board = Board("broken")
    with pytest.raises(ToolError, match="ended 3 times"):
        board.start(bound=True)
    assert b"no luck" in board.files.serial_log.read_bytes()
    assert board.info() is None


def test_what_boot_prints_is_seen_while_it_runs_also_in_the_raw_repl(board):
    board.put(boot_py="import time\nprint('MicroPython rules')\nprint('wait')\ntime.sleep(0.3)")
    with board.line() as line:
        line.send(b"\x01")
        line.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"\x04")
        shown = line.read_until(b"raw REPL; CTRL-B to exit\r\n>")
    assert b"boot\r\nMicroPython rules\r\nwait\r\nraw REPL" in shown
