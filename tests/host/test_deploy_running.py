"""The application is asked in its console's machine mode: each answer belongs to its command."""

from __future__ import annotations

import pytest

from host_tools.deploy.running import Application
from host_tools.errors import ToolError
from host_tools.target import Target

BOARD = Target("/dev/ttyUSB0", None)


class Serial:
    """Answers each of what is written by the next of `answers`."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self._waiting = b""

    @property
    def in_waiting(self) -> int:
        return len(self._waiting)

    def read(self, size: int) -> bytes:
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken

    def write(self, _data: bytes) -> None:
        self._waiting += self._answers.pop(0) if self._answers else b""


@pytest.mark.parametrize(
    "greeting",
    [
        b"\x1eready 1 b thing 1\r\nlate\r\n\x1e1\r\n",
        b"earlier\r\n\x1e1\r\n\x1eready 1 b thing 0\r\n",
        b"\x1eready 1 b thing\r\n",
    ],
)
def test_what_comes_with_the_greeting_is_no_answer_to_what_is_asked_then(greeting: bytes) -> None:
    application = Application(Serial(greeting, b"led on\r\n\x1e0\r\n"), BOARD)
    assert application.find() == "thing"
    assert application.ask("pins") == (["led on"], "0")


def test_answer_that_comes_late_is_not_taken_for_the_next_one() -> None:
    late = b"late\r\n\x1e1\r\nled on\r\n\x1e0\r\n"
    application = Application(Serial(b"\x1eready 1 b thing 0\r\n", b"", late), BOARD)
    assert application.find() == "thing"
    with pytest.raises(ToolError, match="does not answer 'slow'"):
        application.ask("slow", timeout_s=0.1)
    assert application.ask("pins") == (["led on"], "0")
