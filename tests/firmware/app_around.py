"""The application around the console's commands: the real jobs client on a fake link."""

import asyncio

from sandbox.config import parse
from sandbox.jobs import Jobs
from sandbox.log import Log

from fakes import FakeBoard, FakeLink


class _Journal:
    def __init__(self) -> None:
        self.entry = {}


class _Executor:
    def __init__(self) -> None:
        self.enabled = True
        self.journal = _Journal()

    def enable(self, on: bool) -> None:
        self.enabled = on


class FakeApp:
    """What `App` is to the console."""

    def __init__(self) -> None:
        self.board = FakeBoard(boots=7)
        self.config = parse(
            {
                "thing": "lamp",
                "endpoint": "localhost",
                "client_id": "lamp-1",
                "wifi": {"ssid": "home"},
            }
        )
        self.left = asyncio.Event()
        self.history = []
        self.log = Log(lambda line: None)
        self.link = FakeLink()
        self.link.state, self.link.trouble = "online", None
        self.link.age_ms = lambda: 61_000
        self.executor = _Executor()
        self.jobs = Jobs(self.link, self.log)
        self.jobs.on_change = lambda certain: None
        self.jobs.on_event = lambda: None

    def simulate_service(self, outcome: str, **members) -> None:
        """Answer every request so, the clientToken made readable."""

        def answer(tail, request):
            request["clientToken"] = "token"
            waiting = self.jobs._waiting
            waiting["token"] = waiting[list(waiting)[-1]]
            self.link.simulate_message(tail + "/" + outcome, dict(members, clientToken="token"))
            del waiting["token"]

        self.link.answer = answer
