"""The firmware's exceptions. Creating one means that somebody catches it.

Codes of `LinkError` are rows of causes.txt; codes of `JobFailed` are the closed list of reasons
that go into a job execution's statusDetails. No message ever holds a secret.
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


class JobFailed(Exception):
    """A job execution ends without success. Arguments: code and reason, for its statusDetails.

    A third one says that it has not just failed: "REJECTED", the document is not for this board,
    unknown, invalid or too large, and nothing was done; "CANCELED", the operator has cancelled it,
    or it is gone, and there is nothing left to report.
    """
