"""What a word that is being typed on the console may become. Loaded for each Tab."""

from .lazy import borrow
from .log import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .app import App


def complete(app: "App", words: list[str]) -> list[str]:
    """Return what the last of `words` may become: a command, a known job id, a status, a level."""
    if len(words) == 1:
        choices = [row[0] for row in borrow("texts").rows("help.txt")]
    elif len(words) == 2 and words[0] in ("describe-job-execution", "update-job-execution"):
        choices = sorted(app.jobs.pending)
    elif len(words) == 3 and words[0] == "update-job-execution":
        choices = ["SUCCEEDED", "IN_PROGRESS", "FAILED", "REJECTED"]
    elif len(words) == 2:
        choices = list({"executor": ("on", "off"), "log": LEVELS}.get(words[0], ()))
    else:
        choices = []
    return [choice for choice in choices if choice.startswith(words[-1])]
