"""Sends the last lines of the board's log: {"operation": "collect-log", "lines": 20}."""

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {"lines": ("int", 1, 20)}
OPTIONAL = {"lines": 20}
ARGV = ("lines",)
TIMEOUT_S = 5
_MOST = const(1024)  # characters of a value in statusDetails
_BETWEEN = const(" | ")
_VALUES = const(2)  # what the heap has room for, several times over


async def run(arguments: dict, job: "Job") -> dict:
    """Return the lines, the newest last, in as many values as it takes."""
    values: "list[list[str]]" = [[]]
    room = _MOST
    for line in reversed(job.log.lines[-arguments["lines"] :]):
        room -= len(line) + len(_BETWEEN)
        if room < 0:
            values.append([])
            room = _MOST - len(line)
        values[-1].insert(0, line)
    values = values[:_VALUES]
    return {"log%d" % (i + 1): _BETWEEN.join(each) for i, each in enumerate(reversed(values))}
