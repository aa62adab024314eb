"""Every case of tests/document_cases.json through the board's validator; tests/host does the same
with the host's. The table has a case a line, since it does not fit in the board's heap.
"""

import json

from sandbox.errors import JobFailed

from documents import checked_steps
from fakes import FakeBoard

_TABLE = __file__.rsplit("/", 2)[0] + "/document_cases.json"
_LONGEST_REASON = 200


def lines():
    with open(_TABLE) as file:
        for line in file:
            line = line.strip()
            if line not in ("[", "]"):
                yield json.loads(line[:-1] if line[-1] == "," else line)


def said(document, board):
    """Return the code and reason of a rejection, or (None, "")."""
    try:
        steps = checked_steps(document, board)
        assert steps
        return None, ""
    except JobFailed as error:
        code, reason, status = error.args
        assert status == "REJECTED"
        return code, reason


def test_the_board_agrees_with_the_table():
    board = FakeBoard()
    wrong = []
    count = 0
    for case in lines():
        if "pins" in case:
            board.pins = case["pins"]
            continue
        count += 1
        code, reason = said(case["document"], board)
        if code != case["code"] or len(reason) > _LONGEST_REASON or (code and not reason):
            wrong.append((case["name"], code, reason))
    assert not wrong, wrong
    assert count >= 120
