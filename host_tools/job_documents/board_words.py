"""A rejection in the board's own words: its validator is run, in the MicroPython of the virtual
boards. That takes 30 ms, so it is for a person who is told of one document.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from host_tools import boards, interpreter, paths
from host_tools.boards import BoardDefinition
from host_tools.errors import ToolError
from host_tools.job_documents.rejection import Rejection

_ANY_BOARD = "virtual"
_TIMEOUT_S = 20
_SCRIPT = """
import json, sys
firmware, definition, document = json.loads(sys.stdin.read())
sys.path[:] = [firmware, ".frozen"]
from sandbox.arguments import check
from sandbox.errors import JobFailed
from sandbox.plan import parse
class Board:
    name = definition["board"]
    limits = definition.get("limits", {})
    pins = definition["pins"]
try:
    check(parse({"jobDocument": document}, Board), Board)
except JobFailed as error:
    print(json.dumps(error.args[:2]))
"""


def in_its_words(
    rejection: Rejection, document: Any, board: BoardDefinition | None = None
) -> Rejection:
    """Return what the board says of a document that the host's check rejects.

    Without `board`, only if any board would say so; without MicroPython, the host's own words.
    """
    try:
        said = _said(document, board or boards.load(_ANY_BOARD))
    except (ToolError, OSError, ValueError, subprocess.SubprocessError):
        return rejection
    if said is None or (board is None and said.code != rejection.code):
        return rejection
    return said


def _said(document: Any, board: BoardDefinition) -> Rejection | None:
    done = subprocess.run(
        [interpreter.find(), "-X", "heapsize=2M", "-c", _SCRIPT],
        input=json.dumps([str(paths.FIRMWARE), board.board_json(), document]),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=True,
    )
    return Rejection(*json.loads(done.stdout)) if done.stdout else None
