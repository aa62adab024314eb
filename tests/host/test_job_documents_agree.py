"""Random documents, valid and damaged, through the host's check and the board's own validator in
MicroPython: they must agree on each. What they disagree on is made as small as possible.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from host_tools import boards, interpreter, paths
from host_tools.job_documents import check
from tests.document_strategies import documents

BOARD = boards.load("virtual")
VALID, DAMAGED = (settings(max_examples=n, deadline=None, derandomize=True) for n in (150, 500))
SCRIPT = """
import json, sys
sys.path[:] = [%r, ".frozen"]
from sandbox.arguments import check
from sandbox.errors import JobFailed
from sandbox.plan import parse
class Board:
    name, limits = "virtual", {}
    pins = json.loads(%r)
while True:
    line = sys.stdin.readline()
    if not line:
        break
    try:
        check(parse({"jobDocument": json.loads(line)}, Board), Board)
        print(json.dumps(["", ""]))
    except JobFailed as error:
        print(json.dumps(list(error.args[:2])))
"""


class Validator:
    """The board's validator, in a MicroPython that goes on until the end of `process.stdin`."""

    def __init__(self, script: Path) -> None:
        pins = json.dumps(BOARD.board_json()["pins"])
        script.write_text(SCRIPT % (str(paths.FIRMWARE), pins), "utf-8")
        self.process = subprocess.Popen(
            [interpreter.find(), "-X", "heapsize=2M", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self, document: Any) -> tuple[str, str]:
        """Return the code and the reason of its rejection, empty if there is none."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()
        code, reason = json.loads(self.process.stdout.readline())
        return code, reason


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    running = Validator(tmp_path_factory.mktemp("validator") / "script.py")
    yield running
    running.process.communicate(timeout=60)


def test_host_and_board_take_every_valid_document(validator: Validator) -> None:
    @VALID
    @given(documents(BOARD, damaged=False))
    def agree(document: Any) -> None:
        assert validator.said(document) == ("", "")
        assert check(document, BOARD) is None

    agree()


def test_host_and_board_agree_on_damaged_documents(validator: Validator) -> None:
    codes: Counter[str] = Counter()
    others: list[Any] = []  # of several faults the first found may be another

    @DAMAGED
    @given(documents(BOARD, damaged=True))
    def agree(document: Any) -> None:
        code, reason = validator.said(document)
        found = check(document, BOARD)
        assert bool(found) == bool(code), (str(found), code, reason)
        assert len(reason) <= 200 and bool(reason) == bool(code)
        codes[code] += 1
        if found and found.code != code:
            others.append(document)

    agree()
    assert len(others) <= sum(codes.values()) // 10, others
    assert len(codes) >= 5, codes
