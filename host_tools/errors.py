"""The one exception a user sees."""


class ToolError(Exception):
    """Something failed and the user can be told why.

    `message` names the cause in a sentence; `hint` names the next step, often a command.
    Caught once, in `host_tools.__main__.main`, which prints both and exits with 1.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ToolError):
    """The command line is wrong; exits with 2."""
