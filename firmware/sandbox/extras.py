"""The console's commands beyond the sample's, in the manner of `commands`. Loaded for one."""

from .console import USAGE
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .app import App
    from .commands import Write


async def help(app: "App", write: "Write") -> None:  # noqa: A001  the command's name
    """List the commands."""
    for name, arguments, what in borrow("texts").rows("help.txt"):
        write("  %s %s" % (name, arguments) if arguments else "  " + name)
        write("      " + what)


async def quit(app: "App", write: "Write") -> None:  # noqa: A001  the command's name
    """End the application, in order."""
    app.left.set()


async def jobs(app: "App", write: "Write") -> None:
    """Show the cached set of incomplete job executions."""
    for job_id, state in sorted(app.jobs.pending.items()):
        write("%s %s" % (job_id, state))
    if not app.jobs.pending:
        write("no incomplete job executions")


async def pins(app: "App", write: "Write") -> None:
    """Show the pins that jobs may drive."""
    board = app.board
    for name in sorted(board.pins):
        state = "on" if board.is_on(name) else "off"
        write("%s: GPIO%d %s" % (name, board.pins[name]["gpio"], state))
    if not board.pins:
        write("this board has no pins that jobs may drive")


async def files(app: "App", write: "Write", manifest: str = "") -> int | None:
    """Show what lies on the board, for a deploy to compare, or what the last one has listed."""
    if manifest not in ("", "manifest"):
        return USAGE
    if manifest:
        borrow("hashes").show_manifest(write)
    else:
        await borrow("hashes").show(write)
    return None
