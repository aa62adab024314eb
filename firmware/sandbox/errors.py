"""The firmware's exceptions. Creating one means that somebody catches it.

Codes of `LinkError` are rows of causes.txt; codes of `JobRejected` and `JobFailed` are the closed
list of reasons that go into a job execution's statusDetails. No message ever holds a secret.
"""


class ConfigError(Exception):
    """`/config.json`, `/board.json` or a credential cannot be used; the text names it."""


class LinkError(Exception):
    """The connection could not be made or has ended; caught by the link, which tries again.

    Arguments: a code, which names a row of causes.txt, and what the lower layer said.
    """


class JobsError(Exception):
    """The Jobs service refused a request, or did not answer it.

    `code` is the service's (`InvalidStateTransition`, …), or `Timeout` or `Offline` when there is
    no answer; `state` is the `executionState` that came with it, {} when none did.
    """

    def __init__(self, code: str, message: str = "", state: dict | None = None) -> None:
        self.code = code
        self.message = message
        self.state = state or {}


class JobEnded(Exception):
    """A job execution ends without success. Arguments: code and reason, for its statusDetails."""


class JobRejected(JobEnded):
    """The document is not for this board: unknown, invalid or too large. Nothing was done."""


class JobFailed(JobEnded):
    """The job was begun and could not be finished."""


class JobCancelled(JobEnded):
    """The operator cancelled the job, or it is gone: there is nothing left to report."""
