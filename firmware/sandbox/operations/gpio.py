"""Switches a pin: {"operation": "gpio", "pin": "led", "action": "on" | "off" | "toggle"}."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..work import Job

ARGUMENTS = {"pin": ("pin",), "action": ("choice", "on", "off", "toggle")}
TIMEOUT_S = 5


async def run(arguments: dict, job: "Job") -> dict:
    """Drive the pin. A toggle is turned into its target before it acts, so that doing it again
    does no harm.
    """
    pin, action = arguments["pin"], arguments["action"]
    if "on" not in job.saved:
        job.save({"on": not job.board.is_on(pin) if action == "toggle" else action == "on"})
    job.board.switch(pin, job.saved["on"])
    return {"pin": pin, "state": "on" if job.saved["on"] else "off"}
