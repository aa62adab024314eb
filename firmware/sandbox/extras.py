"""The console's commands beyond the sample's, in the manner of `commands`. Loaded for one."""

from micropython import const

from .errors import ConfigError
from .files import SETTINGS, write_json
from .lazy import borrow
from .log import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .app import App
    from .commands import Write

_USAGE = const(2)


async def help(app: "App", write: "Write") -> None:  # noqa: A001  the command's name
    """List the commands."""
    for name, arguments, what in borrow("texts").rows("help.txt"):
        write("  %s %s" % (name, arguments) if arguments else "  " + name)
        write("      " + what)


async def quit(app: "App", write: "Write") -> None:  # noqa: A001  the command's name
    """End the application, in order."""
    app.left.set()


async def executor(app: "App", write: "Write", switch: str) -> int | None:
    """Switch automatic execution on or off."""
    if switch not in ("on", "off"):
        return _USAGE
    _keep(write, "executor", switch == "on")
    app.executor.enable(switch == "on")
    return None


async def jobs(app: "App", write: "Write") -> None:
    """Show the cached set of incomplete job executions."""
    for job_id, state in sorted(app.jobs.pending.items()):
        write("%s %s" % (job_id, state))
    if not app.jobs.pending:
        write("no incomplete job executions")


async def pins(app: "App", write: "Write") -> None:
    """Show the pins that jobs may use, and whether they are on."""
    board, read = app.board, borrow("level").read
    for name in sorted(board.pins):
        kind = board.pins[name].get("kind", "gpio")
        line = "%s: GPIO%d" % (name, board.pins[name]["gpio"])
        line += "" if kind == "adc" else " " + _on(read(board, name))
        write(line if kind == "gpio" else line + ", " + kind)
    if not board.pins:
        write("this board has no pins that jobs may use")


async def files(app: "App", write: "Write", manifest: str = "") -> int | None:
    """Show what lies on the board, for a deploy to compare, or what the last one has listed."""
    if manifest not in ("", "manifest"):
        return _USAGE
    if manifest:
        borrow("hashes").show_manifest(write)
    else:
        await borrow("hashes").show(write)
    return None


async def log(app: "App", write: "Write", level: str = "") -> int | None:
    """Show the last log lines, or set the level."""
    if not level:
        for line in list(app.log.lines):
            write(line)
    elif level in LEVELS:
        app.log.level = level
        _keep(write, "log", level)
    else:
        return _USAGE
    return None


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


def _keep(write: "Write", name: str, value: "object") -> None:
    settings = {}
    try:
        settings = borrow("reader").read_json(SETTINGS)
    except ConfigError:
        pass  # nothing has been kept yet, or it is damaged
    settings[name] = value
    try:
        write_json(SETTINGS, settings)
        write("%s: %s" % (name, _on(value) if isinstance(value, bool) else value))
    except OSError as error:
        write("%s is set, but not kept across resets: %s" % (name, error))


def _on(state: bool) -> str:
    return "on" if state else "off"
