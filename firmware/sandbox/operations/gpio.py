"""Switches or reads a pin: {"operation": "gpio", "pin": "led", "action": "on"}."""

from sandbox.lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.steps import Job

ARGUMENTS = {
    "pin": ("pin", "gpio", "neopixel", "read:input"),
    "action": ("choice", "on", "off", "toggle", "pulse", "blink", "read"),
    "count": ("int", 1, "count"),
    "on_ms": ("int", 1, "pulse_ms"),
    "off_ms": ("int", 1, "pulse_ms"),
    "colour": ("colour",),
}
OPTIONAL = {"count": 3, "on_ms": 500, "off_ms": 500, "colour": ""}
ONLY = {
    "count": ("action", "blink"),
    "on_ms": ("action", "pulse", "blink"),
    "off_ms": ("action", "blink"),
    "colour": ("pin", "neopixel"),
}
ARGV = ("pin", "action", "count")


def TIMEOUT_S(arguments: dict) -> int:  # noqa: N802  a constant for most operations
    """Return how long it may take."""
    if arguments["action"] not in ("pulse", "blink"):
        return 5
    return 5 + arguments["count"] * (arguments["on_ms"] + arguments["off_ms"]) // 900


async def run(arguments: dict, job: "Job") -> dict:
    """Drive or read the pin. A toggle is turned into its target before it acts, so that doing it
    again does no harm; pulses that a reset has cut off are not made again.
    """
    pin, action = arguments["pin"], arguments["action"]
    if action == "read":
        return {"pin": pin, "state": "on" if borrow("level").read(job.board, pin) else "off"}
    if action in ("pulse", "blink"):
        return await borrow("pulses").make(arguments, job)
    if "on" not in job.saved:
        job.save({"on": not job.board.is_on(pin) if action == "toggle" else action == "on"})
    job.board.switch(pin, job.saved["on"], arguments["colour"])
    return {"pin": pin, "state": "on" if job.saved["on"] else "off"}
