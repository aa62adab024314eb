"""Every case of tests/document_cases.json through the host's check; tests/firmware does the same
with the board's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from host_tools import boards
from host_tools.job_documents import check

TABLE = json.loads((Path(__file__).parents[1] / "document_cases.json").read_text("utf-8"))
CASES = TABLE[1:]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_host_agrees_with_the_table(case: dict[str, Any]) -> None:
    found = check(case["document"], boards.load("virtual"))
    assert (found.code if found else None) == case["code"], found


def test_the_tables_pins_are_those_of_the_virtual_board() -> None:
    mine = {name: {"active_low": False, **pin} for name, pin in TABLE[0]["pins"].items()}
    assert mine == boards.load("virtual").board_json()["pins"]


def test_there_are_enough_cases_of_both_kinds() -> None:
    accepted = [case for case in CASES if case["code"] is None]
    assert len(CASES) >= 120 and len(accepted) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)
