"""The console's commands: which module does one, and what is said of one that cannot be done.
Loaded for that, and given up while a command is done.

Those of the AWS Jobs Sandbox sample are in `requests`, what goes beyond it is in `extras`, `local`
and `status`. A command is a coroutine that takes the app, `write(line)` and the words behind its
name, and returns its exit status: 1 failed, 2 the words are wrong, else nothing.
"""

from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    Write = Callable[[str], None]


def find(line: str, write: "Write") -> "tuple[str, str, list[str]] | None":
    """Return the module of the command in `line`, its name there and its arguments; None, once it
    has been written what is wrong with them.
    """
    words = line.split()
    if words[0] == "run":
        words = line.split(None, 1)
    name, dash, _ = words[0].partition("-")
    row = borrow("texts").find("help.txt", words[0])
    if row is None:
        write("unknown command: %s; help lists the commands" % words[0])
        return None
    needed = row[1].count("<")
    if not needed <= len(words) - 1 <= needed + row[1].count("["):
        show_usage(line, write)
        return None
    if dash:  # the sample's have the name of their first word
        module = "requests"
    elif name == "status":
        module = name
    else:
        module = "local" if name in ("run", "operations") else "extras"
    return module, name, words[1:]


def show_usage(line: str, write: "Write") -> None:
    """Write how the command in `line` is used."""
    name, arguments, _ = borrow("texts").find("help.txt", line.split()[0])
    write("usage: %s %s" % (name, arguments))


def show_remedy(code: str, write: "Write") -> None:
    """Write what may be done about a request that the service has rejected so."""
    what, remedy = borrow("causes").explain(code)
    if what:
        write("  %s; %s" % (what, remedy))
