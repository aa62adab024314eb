"""Stand-ins for a module's neighbours, given to it by its constructor."""

import asyncio
import json


class FakeLog:
    """Remembers (level, module, text)."""

    level = "info"

    def __init__(self) -> None:
        self.entries = []

    def _keep(self, level: str, tag: str, text: str, args: tuple) -> None:
        self.entries.append((level, tag, text % args if args else text))

    def error(self, tag, text, *args) -> None:
        self._keep("error", tag, text, args)

    def warning(self, tag, text, *args) -> None:
        self._keep("warning", tag, text, args)

    def info(self, tag, text, *args) -> None:
        self._keep("info", tag, text, args)

    def debug(self, tag, text, *args) -> None:
        self._keep("debug", tag, text, args)

    def uptime_ms(self) -> int:
        import time  # `lapse` may have taken its place

        return time.ticks_ms()

    def says(self, text: str) -> bool:
        return any(text in entry[2] for entry in self.entries)


class FakeLink:
    """The link as `jobs` sees it; what is published is kept, the service is simulated."""

    context = "of TLS"

    def __init__(self) -> None:
        self.sent = []  # (tail, members)
        self.checks = 0
        self.publish_error = None
        self.answer = None  # called with (tail, members) after each request
        self.online = asyncio.Event()
        self.online.set()

    def publish(self, tail: str, payload: bytes) -> None:
        if self.publish_error:
            raise self.publish_error
        self.sent.append((tail, json.loads(payload)))
        if self.answer:
            self.answer(*self.sent[-1])

    def check(self) -> None:
        self.checks += 1

    def simulate_message(self, tail: str, message) -> None:
        """Let the service say something: bytes, or an object sent as JSON."""
        if not isinstance(message, bytes):
            message = json.dumps(message).encode()
        self.on_message(tail, memoryview(message))

    def simulate_answer(self, outcome: str, **members) -> None:
        """Answer the last request, its clientToken with it."""
        tail, request = self.sent[-1]
        members["clientToken"] = request["clientToken"]
        self.simulate_message(tail + "/" + outcome, members)


class FakeJobs:
    """The service as `executor` sees it: executions with versions, and what is told of them."""

    def __init__(self, *executions) -> None:
        self.executions = list(executions)
        self.pending = {execution["jobId"]: "QUEUED" for execution in executions}
        self.complete = True
        self.updates = []  # (jobId, status, members)
        self.requests = []  # names, in order
        self._errors = {}

    def simulate_error(self, request: str, *errors) -> None:
        """Let the next requests of this name fail, one after another; None lets one pass."""
        self._errors[request] = list(errors)

    def simulate_lost_reply(self, error) -> None:
        """Let the next update be accepted, and its answer be lost."""
        self._errors["reply"] = [error]

    def _fail(self, name: str) -> None:
        errors = self._errors.get(name)
        error = errors.pop(0) if errors else None
        if error:
            state = getattr(error, "state", {})
            if state and self.executions:
                self.executions[0].update(state)
            raise error

    async def start_next(self, **members) -> dict:
        self.requests.append("start_next")
        self._fail("start_next")
        for execution in self.executions:
            if execution["status"] == "QUEUED":
                execution["versionNumber"] += 1
                execution["status"] = "IN_PROGRESS"
            if execution["status"] == "IN_PROGRESS":
                return {"execution": json.loads(json.dumps(execution))}
        return {}

    async def describe(self, job_id: str, **members) -> dict:
        self.requests.append("describe")
        self._fail("describe")
        for execution in self.executions:
            if job_id in (execution["jobId"], "$next"):
                return {"execution": json.loads(json.dumps(execution))}
        return {}

    async def update(self, job_id: str, status: str, **members) -> dict:
        self.requests.append("update")
        self._fail("update")
        self.updates.append((job_id, status, members))
        for execution in self.executions:
            if execution["jobId"] == job_id:
                execution["status"] = status
                execution["versionNumber"] += 1
        if status != "IN_PROGRESS":
            self.pending.pop(job_id, None)
        self._fail("reply")
        return {}


def execution(document, job_id: str = "job", status: str = "QUEUED", **members) -> dict:
    """Return an execution as the service holds it."""
    return dict(
        {
            "jobId": job_id,
            "jobDocument": document,
            "status": status,
            "versionNumber": 1,
            "executionNumber": 1,
        },
        **members,
    )


def entry(**members) -> dict:
    """Return the journal's entry of an execution that has begun."""
    return dict(
        {
            "jobId": "job",
            "executionNumber": 1,
            "version": 2,
            "phase": "running",
            "attempt": 1,
            "step": 0,
            "saved": {},
        },
        **members,
    )


class FakeBoard:
    """Remembers what was switched and how often it was reset.

    A power cut ends the firmware where it is: as a cancelled task.
    """

    name = "fake"

    def __init__(self, boots: int = 1, cause: str = "HARD_RESET") -> None:
        self.pins = {"led": {"gpio": 2}, "relay": {"gpio": 4}}
        self.limits = {}
        self.boots = boots
        self.cause = cause
        self.switched = []
        self.resets = 0
        self.simulate_power_cut()

    def simulate_power_cut(self, before: str = "", after: str = "") -> None:
        """Die before or after a pin is switched, or at "reset"."""
        self._cut_before, self._cut_after = before, after

    def is_on(self, name: str) -> bool:
        return dict(self.switched).get(name, False)

    def switch(self, name: str, on: bool, colour: str = "") -> None:
        self._die_if(name == self._cut_before)
        self.switched.append((name, on))
        self._die_if(name == self._cut_after)

    def reset(self, soft: bool = False) -> None:
        self.resets += 1
        self._die_if(self._cut_after == "reset")

    def _die_if(self, now: bool) -> None:
        if now:
            raise asyncio.CancelledError


class FakeConfig:
    """Settings."""

    endpoint = "localhost"
    keepalive_s = 60
    watchdog_s = 60
    ntp = ["ntp.test"]
    wifi = {"ssid": "home"}


class FakeNetwork:
    """The station as operations see it."""

    held = False


def raises(kind, call, *args):
    """Return the exception of `kind` that `call(*args)` raises; fail if it raises none."""
    try:
        call(*args)
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % (kind,))


async def raises_async(kind, awaitable):
    """Return the exception of `kind` that awaiting raises; fail if there is none."""
    try:
        await awaitable
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % (kind,))


async def until(condition, what: str = "it") -> None:
    """Wait for `condition()`, at most 30 s."""
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep_ms(5)
    raise AssertionError("%s did not happen" % what)
