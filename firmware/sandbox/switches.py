"""The console's commands that set something for good, in the manner of `commands`, and the log's
lines with its level. Loaded for one.
"""

from .console import USAGE
from .errors import ConfigError
from .files import SETTINGS, write_json
from .lazy import borrow
from .log import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .app import App
    from .commands import Write


async def executor(app: "App", write: "Write", switch: str) -> int | None:
    """Switch automatic execution on or off."""
    if switch not in ("on", "off"):
        return USAGE
    _keep(write, "executor", switch == "on", switch)
    app.executor.enable(switch == "on")
    return None


async def log(app: "App", write: "Write", level: str = "") -> int | None:
    """Show the last log lines, or set the level."""
    if not level:
        for line in list(app.log.lines):
            write(line)
    elif level in LEVELS:
        app.log.level = level
        _keep(write, "log", level, level)
    else:
        return USAGE
    return None


def _keep(write: "Write", name: str, value: "object", shown: str) -> None:
    settings = {}
    try:
        settings = borrow("reader").read_json(SETTINGS)
    except ConfigError:
        pass  # nothing has been kept yet, or it is damaged
    settings[name] = value
    try:
        write_json(SETTINGS, settings)
        write("%s: %s" % (name, shown))
    except OSError as error:
        write("%s is set, but not kept across resets: %s" % (name, error))
