"""The serial line as items: what the decoder makes of the bytes a board sends."""

from __future__ import annotations

import pytest

from host_tools.console.protocol import (
    Answer,
    Decoder,
    Item,
    Line,
    Ready,
    Repl,
    Resetting,
    Started,
    Status,
)

BANNER = "Jobs Sandbox on virtual, thing my-thing. Type help."


def decoded(*chunks: bytes) -> list[Item]:
    decoder = Decoder()
    return [item for chunk in chunks for item in decoder.feed(chunk)]


def test_command_with_its_answer() -> None:
    data = b"get result\r\nI 1.234 link: ready\r\n\x1e0\r\n\x1e2\r\n"
    items = [Line("get result"), Line("I 1.234 link: ready"), Status(0), Status(2)]
    assert decoded(data) == items


def test_bytes_may_come_one_by_one() -> None:
    text = "é 日本\r\n\x1eready 0.1.0 virtual my-thing\r\n"
    items = decoded(*(bytes([byte]) for byte in text.encode()))
    assert items == [Line("é 日本"), Ready("0.1.0", "virtual", "my-thing")]


def test_bytes_that_are_no_utf8_do_no_harm() -> None:
    assert decoded(b"a\xff\xfeb\r\n") == [Line("a\ufffd\ufffdb")]


def test_what_a_person_had_typed_is_no_line() -> None:
    assert decoded(b"\r> stat\x1b[K\x1eready 1 b t\r\n") == [Ready("1", "b", "t")]


def test_output_before_a_mark_is_kept() -> None:
    assert decoded(b"no line end\x1e1\r\n") == [Line("no line end"), Status(1)]


def test_redrawn_line_shows_what_is_left_of_it() -> None:
    assert decoded(b"\r> sta\x1b[K\r\x1b[KI 1.000 link: ready\r\n") == [
        Line("I 1.000 link: ready")
    ]


def test_control_characters_of_a_job_do_not_reach_the_terminal() -> None:
    data = b"x\x1b]0;title\x07y\x1b[2Jz\x1b[31m!\x08\x00\x9b\r\n"
    (line,) = decoded(data)
    assert isinstance(line, Line)
    assert not any(ord(character) < 32 or ord(character) == 127 for character in line.text)
    assert line.text.endswith("yz!\ufffd")


def test_repl_prompt_is_noticed_without_a_line_end() -> None:
    assert decoded(b"\r\n>>", b"> ") == [Repl()]
    assert decoded(b">>> ", b"\r\n>>> ") == [Repl(), Repl()]


def test_text_that_only_looks_like_a_prompt_is_a_line() -> None:
    assert decoded(b">>> print(1)\r\n") == [Line("print(1)")]


@pytest.mark.parametrize(
    "text",
    ["rst:0xc (SW_CPU_RESET)", "ets Jul 29 2019 12:21:46", "MPY: soft reboot", "ESP-ROM:c3"],
)
def test_resets_are_noticed(text: str) -> None:
    assert decoded(text.encode() + b"\r\n") == [Resetting(), Line(text)]


def test_start_is_noticed() -> None:
    assert decoded(BANNER.encode() + b"\r\n") == [Started(), Line(BANNER)]
    with_version = BANNER.replace("Sandbox", "Sandbox 0.1.0")
    assert decoded(with_version.encode() + b"\r\n") == [Started(), Line(with_version)]


@pytest.mark.parametrize(
    ("text", "level", "noise", "event"),
    [
        ("W 12.345 link: TCP_REFUSED: nothing listens", "W", False, False),
        ("I 12 link: no milliseconds", "", False, False),
        (BANNER, "", True, False),
        ("MicroPython v1.27.0 on 2026-01-01; Generic ESP32", "", True, False),
        ('Received JobExecutionsChanged event:  {"jobs":{}}', "", False, True),
        ("MicroPython", "", False, False),
    ],
)
def test_kinds_of_lines(text: str, level: str, noise: bool, event: bool) -> None:
    line = Line(text)
    assert (line.log_level, line.is_boot_noise, line.is_event) == (level, noise, event)


def test_result_is_that_of_the_command_not_of_an_event() -> None:
    lines = ['Received JobExecutionsChanged event:  {"jobs":{}}', 'get-pending result: {"a":[1]}']
    answer = Answer("get-pending ", 0, lines)
    assert answer.result == {"a": [1]}
    assert answer.as_dict() == {
        "command": "get-pending ",
        "status": 0,
        "lines": lines,
        "result": {"a": [1]},
    }


def test_answer_without_a_result() -> None:
    assert Answer("status", 0, ["link: online"]).result is None
    assert Answer("get", 0, ["get result: {broken}"]).result is None
    assert Answer("", 2, []).result is None
