"""The stand-ins for machine, neopixel, esp32 and time, against what ports/esp32 does."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from host_tools.board.edges import follow, set_input
from tests.board_fixture import Board, eventually


def error_of(board: Board, expression: str, imports: str = "machine") -> str:
    """Return what raising `expression` shows: "ValueError: invalid pin"."""
    return board.run(
        f"import {imports}\ntry:\n  print({expression})\n"
        "except Exception as e: print(type(e).__name__ + ':', *e.args)"
    )


def edges_of(board: Board) -> list[tuple[int, object]]:
    return [(edge["pin"], edge["value"]) for edge in board.edges()]


@pytest.mark.parametrize(
    ("chip", "accepted", "refused"),
    [
        ("ESP32", (0, 2, 5, 6, 20, 23, 25, 39), (24, 28, 31, 40, -1)),
        ("ESP32S2", (18, 21, 26, 33, 46), (19, 20, 22, 27, 32, 47)),
        ("ESP32S3", (18, 21, 26, 33, 48), (22, 25, 27, 32, 49)),
        ("ESP32C3", (0, 11, 13, 20, 21), (14, 18, 19, 22)),
        ("ESP32C6", (0, 11, 14, 23), (12, 13, 24, 30)),
    ],
)
def test_each_chip_has_its_pins(make_board, chip, accepted, refused):
    board = make_board(chip=chip)
    code = (
        "import machine\ndef ok(n):\n  try: machine.Pin(n)\n"
        "  except ValueError as e: return str(e)\n"
    )
    assert board.run(f"{code}print([ok(n) for n in {accepted}])") == str([None] * len(accepted))
    assert board.run(f"{code}print([ok(n) for n in {refused}])") == str(
        ["invalid pin"] * len(refused)
    )


def test_pin_errors(board):
    assert error_of(board, "machine.Pin('led')") == "ValueError: invalid pin"
    assert (
        error_of(board, "machine.Pin(34, machine.Pin.OUT)") == "ValueError: pin can only be input"
    )
    assert error_of(board, "machine.Pin(39, 7)") == "ValueError: pin can only be input"
    assert error_of(board, "machine.Pin(34, machine.Pin.IN).value()") == "0"
    assert error_of(board, "machine.Pin(2).irq").startswith("AttributeError")
    assert board.edges() == []


def test_s2_pin_46_is_input_only(make_board):
    board = make_board(chip="ESP32S2")
    assert error_of(board, "machine.Pin(46, 3)") == "ValueError: pin can only be input"


def test_every_edge_is_recorded_with_its_time(board):
    before = time.time()
    board.run(
        "from machine import Pin\nimport time\n"
        "p = Pin(2, Pin.OUT)\n"
        "p.on(); p.on(); p.value(0); p(1); p.toggle(); p.toggle(); p.off()\n"
        "time.sleep_ms(20); p.init(Pin.IN)\n"
        "print(p)"
    )
    assert edges_of(board) == [(2, v) for v in (0, 1, 0, 1, 0, 1, 0, "z")]
    edges = board.edges()
    assert all(one["t"] <= two["t"] for one, two in pairwise(edges))
    assert before <= edges[0]["t"] and edges[-1]["t"] <= time.time()
    assert edges[-1]["t"] - edges[-2]["t"] > 0.015
    assert edges[0].keys() == {"t", "pin", "name", "value", "boot"}
    assert edges[0]["boot"] == board.boot and edges[0]["name"] is None


def test_value_is_set_before_the_direction(board):
    board.run("from machine import Pin\nPin(4, Pin.OUT, value=1)")
    assert edges_of(board) == [(4, 1)]


def test_open_drain_lets_go_at_one(board):
    board.run("from machine import Pin\np = Pin(4, Pin.OPEN_DRAIN, value=0); p(1); p(0)")
    assert edges_of(board) == [(4, 0), (4, "z"), (4, 0)]


def test_there_is_one_object_per_pin(board):
    code = (
        "from machine import Pin\na = Pin(2, Pin.OUT, value=1); b = Pin(2); "
        "print(a is b, b.value(), Pin(b) is a)"
    )
    assert board.run(code) == "True 1 True"


def test_levels_outlive_resets_but_not_a_power_cut(board):
    board.run("from machine import Pin\nPin(2, Pin.OUT, value=1); Pin(4, Pin.OUT, value=1)")
    query = "from machine import Pin\nprint(Pin(2).value())"
    assert board.run(query, soft_reset=True) == "1"
    board.reset()
    assert board.run(query) == "1"
    board.power_cut()
    assert board.run(query) == "0"
    assert edges_of(board) == [(2, 1), (4, 1), (2, "z"), (4, "z")]


def test_a_kill_loses_no_edge(board):
    board.put(main_py="from machine import Pin\np = Pin(2, Pin.OUT)\nwhile True: p.toggle()")
    boot = board.reset().boot
    eventually(lambda: len(board.edges()) > 20)
    board.power_cut()
    ours = [edge["value"] for edge in board.edges() if edge["boot"] == boot]
    assert len(ours) > 20 and ours[-1] == "z"
    assert all(one != two for one, two in pairwise(ours[:-1]))  # 0 1 0 1 …: none is missing


def test_inputs_are_driven_from_outside(board):
    query = (
        "from machine import Pin\n"
        "up, down = Pin(4, Pin.IN, Pin.PULL_UP), Pin(5, Pin.IN, Pin.PULL_DOWN)\n"
        "print(Pin(0, Pin.IN).value(), up.value(), down.value())"
    )
    assert board.run(query) == "0 1 0"
    set_input(board.files, "0", 1)
    set_input(board.files, "4", 0)
    assert board.run(query) == "1 0 0"
    set_input(board.files, "4", None)
    assert board.run(query) == "1 1 0"


def test_signal_knows_polarity(board):
    code = (
        "from machine import Pin, Signal\ns = Signal(Pin(5, Pin.OUT), invert=True); s.on(); "
        "print(s.value()); s.off(); print(s())"
    )
    assert board.run(code) == "1\n0"
    assert edges_of(board) == [(5, 0), (5, 1)]


def test_pwm(board):
    code = (
        "from machine import Pin, PWM\np = PWM(Pin(2), freq=1000, duty_u16=32768); "
        "p.duty(0); print(p.freq(), p.duty_u16(), p.duty_ns())"
    )
    assert board.run(code) == "1000 0 0"
    assert [(e["value"], e["freq"], e["duty_u16"]) for e in board.edges()] == [
        ("pwm", 1000, 32768),
        ("pwm", 1000, 0),
    ]
    assert error_of(board, "machine.PWM(34)") == "ValueError: invalid pin"
    assert error_of(board, "machine.PWM(2, freq=0)").startswith("ValueError: frequency")
    assert error_of(board, "machine.PWM(2, duty_u16=65536)").startswith("ValueError: duty_u16")


def test_adc(board):
    set_input(board.files, "adc34", 0.475)
    assert board.run(
        "from machine import ADC\na = ADC(34); print(a.read_uv(), a.read_u16(), a.read())"
    ) == ("475000 32767 2047")
    assert error_of(board, "machine.ADC(5)") == "ValueError: invalid pin"


def test_neopixel_writes_in_wire_order(board):
    code = (
        "import machine, neopixel\n"
        "n = neopixel.NeoPixel(machine.Pin(48, machine.Pin.OUT), 2)\n"
        "n[0] = (1, 2, 3); n.write(); print(n[0], len(n))"
    )
    board.stop()
    board.start(chip="ESP32S3", bound=True)
    assert board.run(code) == "(1, 2, 3) 2"
    assert board.edges()[-1]["value"] == "rgb"
    assert board.edges()[-1]["data"] == "020103000000"


def test_the_clock_starts_in_2000_and_lives_through_resets_only(board):
    query = (
        "import time, machine; "
        "print(time.gmtime()[:3], machine.RTC().datetime()[:4], time.time() < 60)"
    )
    fresh = "(2000, 1, 1) (2000, 1, 1, 5) True"
    assert board.run(query) == fresh
    board.run("import machine; machine.RTC().datetime((2031, 2, 3, 0, 4, 5, 6, 0))")
    later = "(2031, 2, 3) (2031, 2, 3, 0) False"
    assert board.run(query, soft_reset=True) == later
    board.reset()
    assert board.run(query) == later
    board.power_cut()
    assert board.run(query) == fresh


def test_time_is_whole_seconds_since_2000(board):
    code = (
        "import time; print(time.gmtime(0), time.mktime((2000, 1, 1, 0, 0, 0, 0, 0)), "
        "type(time.time()).__name__)"
    )
    assert board.run(code) == "(2000, 1, 1, 0, 0, 0, 5, 1) 0 int"
    code = (
        "import time; print(all(time.mktime(time.gmtime(t)) == t for t in range(0, "
        "4000000000, 7654321)))"
    )
    assert board.run(code) == "True"


def test_rtc_memory(board):
    board.run("import machine; machine.RTC().memory(b'kept\\x00')")
    query = "import machine; print(machine.RTC().memory())"
    assert board.run(query, soft_reset=True) == r"b'kept\x00'"
    board.reset()
    assert board.run(query) == r"b'kept\x00'"
    board.power_cut()
    assert board.run(query) == "b''"
    assert error_of(board, "machine.RTC().memory(bytes(2049))") == "ValueError: buffer too long"


def test_nvs_is_kept_from_commit_on(board):
    board.run(
        "import esp32; n = esp32.NVS('app'); n.set_i32('a', -5); n.set_blob('b', b'xyz'); "
        "n.commit()"
    )
    board.run("import esp32; n = esp32.NVS('app'); n.set_i32('lost', 1)")
    board.power_cut()
    query = (
        "import esp32; n = esp32.NVS('app'); b = bytearray(5); "
        "print(n.get_i32('a'), n.get_blob('b', b), b[:3])"
    )
    assert board.run(query) == "-5 3 bytearray(b'xyz')"
    assert error_of(board, "esp32.NVS('app').get_i32('lost')", "esp32") == (
        "OSError: -4354 ESP_ERR_NVS_NOT_FOUND"
    )
    assert error_of(board, "esp32.NVS('a' * 16)", "esp32").endswith("ESP_ERR_NVS_KEY_TOO_LONG")


def test_other_facts_of_the_chip(board):
    assert error_of(board, "machine.freq()") == "160000000"
    assert error_of(board, "machine.freq(123)").startswith("ValueError: frequency must be")
    assert board.run("import esp32; print(len(esp32.idf_heap_info(esp32.HEAP_DATA)[0]))") == "4"
    assert error_of(board, "machine.Timer").startswith("AttributeError")


def test_edges_can_be_followed(board):
    board.run("from machine import Pin\nPin(2, Pin.OUT)")
    followed = follow(board.files, past=False)
    import threading

    found: list[object] = []
    follower = threading.Thread(target=lambda: found.append(next(followed)["value"]), daemon=True)
    follower.start()
    for _ in range(100):
        board.run("from machine import Pin\nPin(2).toggle()")
        if found:
            break
    follower.join(5)
    assert found and found[0] in (0, 1)


def test_erase_forgets_flash_edges_and_nvs_but_not_the_running_board(board):
    board.run("from machine import Pin\nPin(2, Pin.OUT)\nopen('f', 'w').close()")
    board.erase()
    assert board.info().up
    assert board.edges() == []
    assert board.run("import os; print(os.listdir())") == "[]"


def test_a_pin_taken_back_from_pwm_shows_its_level(board):
    board.run(
        "from machine import Pin, PWM\np = Pin(2, Pin.OUT, value=1)\n"
        "w = PWM(p, freq=50); w.deinit(); p.off()"
    )
    assert edges_of(board) == [(2, 1), (2, "pwm"), (2, 1), (2, 0)]
