"""Does the console's commands. Loaded for one, as is what does it: those of the AWS Jobs Sandbox
sample are in `requests`, what goes beyond it is in `extras`, `local` and `status`.

A command is a coroutine that takes the app, `write(line)` and the words behind its name, and
returns its exit status: 1 failed, 2 the words are wrong, else nothing.
"""

from micropython import const

from .errors import JobsError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .app import App

    Write = Callable[[str], None]

_FAILED, _USAGE = const(1), const(2)


async def do(app: "App", write: "Write", line: str) -> int:
    """Do the command in `line` and return its exit status: 0 done, 1 failed, 2 wrong usage."""
    words = line.split()
    if words[0] == "run":
        words = line.split(None, 1)
    row = borrow("texts").find("help.txt", words[0])
    if row is None:
        write("unknown command: %s; help lists the commands" % words[0])
        return _USAGE
    status: int | None = _USAGE
    needed = row[1].count("<")
    if needed <= len(words) - 1 <= needed + row[1].count("["):
        try:
            status = await _find(words[0])(app, write, *words[1:])
        except JobsError as error:
            _show_error(write, words[0], error)
            status = _FAILED
        except MemoryError:
            write("%s failed: the heap has no room for it; see status" % words[0])
            status = _FAILED
    if status == _USAGE:
        write("usage: %s %s" % (words[0], row[1]))
    return status or 0


def _find(command: str) -> "Any":
    # the sample's have the name of their first word
    name, dash, _ = command.partition("-")
    if dash:
        return getattr(borrow("requests"), name)
    if name == "status":
        return borrow("status").status
    return getattr(borrow("local" if name in ("run", "operations") else "extras"), name)


def _show_error(write: "Write", command: str, error: JobsError) -> None:
    write("%s rejected: %s: %s" % (command, error.code, error.message))
    what, remedy = borrow("causes").explain(error.code)
    if what:
        write("  %s; %s" % (what, remedy))
