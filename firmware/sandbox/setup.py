"""Everything that is read from flash at the start: configuration, board, credentials, boot count.
Loaded once, then given up.
"""

from . import files
from .board import Board
from .errors import ConfigError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .config import Config
    from .log import Log


def intern() -> list[str]:
    """Name what most documents are made of. A string that some module names takes no heap when it
    comes in a document: half of a large one's. Nobody calls this.
    """
    names = ["operation", "steps", "pin", "action", "led", "gpio", "on", "off", "toggle", "wait"]
    names += ["name", "type", "input", "handler", "args", "path", "runAsUser", "command"]
    return names + [
        "runHandler",
        "runCommand",
        "ignoreStepFailure",
    ]


def load(log: "Log") -> "tuple[Config, Board, Any, int]":
    """Return configuration, board, TLS context and the Unix time of the firmware's build.

    Counts this boot; from now on the log's last lines outlive a reset. Raises ConfigError naming
    what cannot be used.
    """
    read_json = borrow("reader").read_json
    manifest = read_json("/manifest.json")
    config = borrow("config").load()
    board = load_board(read_json("/board.json"))
    board.boots = count_boot(board, log)
    log.outlive = board.memory
    context = borrow("credentials").tls_context(more=config.extra_root)
    config.extra_root = ""  # it is long, and has been taken
    return config, board, context, int(manifest.get("built", 0))


def load_board(definition: "dict[str, Any]") -> Board:
    """Check a board's definition. Raises ConfigError when a pin cannot be used."""
    forbidden = definition.get("forbidden", {})
    for name, pin in definition.get("pins", {}).items():
        gpio = pin.get("gpio")
        if not isinstance(gpio, int):
            raise ConfigError("board.json: pin %s has no gpio number" % name)
        reads = pin.get("kind") in ("input", "adc")
        if str(gpio) in forbidden and not (reads and forbidden[str(gpio)] == "input only"):
            raise ConfigError("board.json: pin %s: %s" % (name, forbidden[str(gpio)]))
    return Board(definition)


def count_boot(board: Board, log: "Log") -> int:
    """Count this start of the application in flash and return the count. Beside it is kept what
    the log said before a reset that nobody had ordered.

    A flash that is full keeps no count, and the board starts all the same: what needs the count,
    a reboot job, fails for the flash before it looks at it.
    """
    crash = borrow("crash")
    board.cause = crash.reset_cause()
    try:
        boots = int(borrow("reader").read_json(crash.PATH)["boots"]) + 1
    except (ConfigError, KeyError, ValueError, TypeError):
        boots = 1
    count: "dict[str, Any]" = {"boots": boots}
    before = crash.recall(board)
    if before:
        count["before"] = before
        log.warning("app", "%s, which was not ordered; before it: %s", board.cause, before)
    try:
        files.write_json(crash.PATH, count)
    except OSError:
        pass
    return boots
