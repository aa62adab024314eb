"""Job documents on the host: what a board accepts, and the check before a job is made of one.

The rules are the board's: `tables` reads them from firmware/sandbox/operations. docs/jobs/ has the
schema as a file and tells it to people.
"""

from host_tools.job_documents.check import check, explained
from host_tools.job_documents.rejection import Rejection
from host_tools.job_documents.schema import for_board

__all__ = ["Rejection", "check", "explained", "for_board"]
