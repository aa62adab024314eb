"""Job documents, parsed and checked as the executor does it."""

from sandbox.arguments import check
from sandbox.plan import parse


def checked_steps(document, board) -> list:
    """Return a document's steps. Raises JobFailed."""
    return check(parse({"jobDocument": document}, board), board)
