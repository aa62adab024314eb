"""Random documents, valid and damaged, through the host's check and the board's own validator in
MicroPython: they must agree on each.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from host_tools import boards, interpreter, paths
from host_tools.job_documents import check
from tests.document_strategies import Documents

VALID, DAMAGED = 250, 750
BOARD = boards.load("virtual")
SCRIPT = """
import json, sys
sys.path[:] = [%r, ".frozen"]
from sandbox import plan
from sandbox.errors import JobRejected
class Board:
    name, limits = "virtual", {}
    pins = json.loads(%r)
with open(%r) as file:
    for line in file:
        try:
            plan.plan(json.loads(line), Board)
            print(json.dumps(["", ""]))
        except JobRejected as error:
            print(json.dumps(list(error.args)))
"""


def test_host_and_board_agree_on_random_documents(tmp_path: Path) -> None:
    made = Documents(5, BOARD)
    documents: list[Any] = [made.valid() for _ in range(VALID)]
    documents += [made.damaged() for _ in range(DAMAGED)]
    table = tmp_path / "documents"
    table.write_text("\n".join(json.dumps(document) for document in documents), "utf-8")
    script = tmp_path / "script.py"
    pins = json.dumps(BOARD.board_json()["pins"])
    script.write_text(SCRIPT % (str(paths.FIRMWARE), pins, str(table)), "utf-8")
    done = subprocess.run(
        [interpreter.find(), "-X", "heapsize=2M", script],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == len(documents)
    other = 0  # of several faults the first found may be another
    for document, (code, reason) in zip(documents, said, strict=True):
        found = check(document, BOARD)
        assert bool(found) == bool(code), (json.dumps(document), str(found), code, reason)
        other += bool(found and found.code != code)
    assert other < DAMAGED // 20
    assert all(code == "" for code, _ in said[:VALID])
    assert len({code for code, _ in said}) >= 5, "damage of several kinds"
    assert all(len(reason) <= 200 for _, reason in said)
