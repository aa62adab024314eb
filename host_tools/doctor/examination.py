"""The whole look: host, then board, then cloud; what one of them tells is used by the next."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from host_tools import identity, target
from host_tools.cloud import access
from host_tools.deploy import settings
from host_tools.doctor import board, cloud, credentials, facts, host
from host_tools.doctor.check import Check, Verdict
from host_tools.doctor.facts import Facts
from host_tools.errors import ToolError, UsageError
from host_tools.target import Target

Show = Callable[[Check], None]
_OF_STATUS = "thing"


@dataclass
class Examination:
    """What was found. `facts` is None if the board did not answer."""

    checks: list[Check] = field(default_factory=list)
    facts: Facts | None = None

    @property
    def failed(self) -> bool:
        """Whether anything fails."""
        return any(check.verdict is Verdict.FAIL for check in self.checks)


def examine(args: argparse.Namespace, show: Show) -> Examination:
    """Make all checks; `show` gets each as it is made. `args`: of target and access, and `thing`.

    Raises UsageError for options that contradict each other; all else becomes a check.
    """
    return _Examiner(args, show).run()


class _Examiner:
    def __init__(self, args: argparse.Namespace, show: Show) -> None:
        self._args = args
        self._show = show
        self._now = datetime.datetime.now(datetime.UTC)
        self._found = Examination()
        self._target: Target | None = None

    def run(self) -> Examination:
        trouble = self._resolve_target()
        virtual = not self._args.port
        for check in host.checks(self._device(), needs_interpreter=virtual):
            self._add(check)
        self._look_at_board(trouble)
        thing = self._thing()
        if thing:
            known = self._found.facts
            meant = self._meant()
            for check in credentials.checks(board.BOARD, meant, thing, known, self._now):
                self._add(check)
        self._look_at_cloud(thing)
        return self._found

    def _resolve_target(self) -> ToolError | None:
        try:
            self._target = target.resolve(self._args)
        except UsageError:
            raise
        except ToolError as error:
            return error
        return None

    def _meant(self) -> Target:
        return self._target or target.named(self._args)

    def _device(self) -> str | None:
        if self._target is not None:
            return self._target.device
        return None if self._args.port == target.AUTO else self._args.port

    def _look_at_board(self, trouble: ToolError | None) -> None:
        try:
            if trouble or self._target is None:
                raise trouble or ToolError("there is no board")
            self._found.facts = facts.ask(self._target)
        except ToolError as error:
            self._add(board.BOARD.failed("reachable", error))
            return
        self._add(board.BOARD.ok("reachable", f"the {self._target.label} answers"))
        for check in board.checks(self._target, self._found.facts, self._now):
            self._add(check)

    def _thing(self) -> str:
        # as asked for, as the board says, or as was last deployed
        if self._args.thing:
            identity.check_thing_name(self._args.thing)
            return str(self._args.thing)
        if known := self._words_of_thing()[0]:
            return known
        if self._target is None:
            return ""
        if known := settings.last_deployed(self._target).get("thing", ""):
            return known
        try:
            return settings.choose_thing(self._target).thing
        except ToolError:
            return ""

    def _words_of_thing(self) -> tuple[str, str]:
        # `thing: NAME, client id ID`, a line of the console's status
        line = self._found.facts.status.get(_OF_STATUS, "") if self._found.facts else ""
        thing, _, client_id = line.partition(", client id ")
        return thing, client_id

    def _look_at_cloud(self, thing: str) -> None:
        try:
            chosen = access.resolve(self._args)
        except UsageError:
            raise
        except ToolError as error:
            self._add(cloud.CLOUD.failed("credentials", error))
            return
        for check in cloud.checks(chosen, self._patient(thing), thing):
            self._add(check)

    def _patient(self, thing: str) -> cloud.Patient | None:
        try:
            known = identity.read(thing) if thing else None
        except ToolError:  # told by the check of the credentials
            known = None
        if known is None:
            return None
        its_name, client_id = self._words_of_thing()
        trouble = board.trouble_code(self._found.facts) if self._found.facts else ""
        client_id = client_id if its_name == thing else thing
        deploy = self._meant().command(f"deploy --thing {thing}")
        return cloud.Patient(known, client_id, trouble, deploy)

    def _add(self, check: Check) -> None:
        self._found.checks.append(check)
        self._show(check)
