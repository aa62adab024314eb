"""Removes what was made for a thing, and nothing else: in the cloud in use, then on this computer.

The order is the one that AWS wants: detach, deactivate, delete; the shared policy comes last. What
is gone is struck off the record at once, so a run that was cut short is finished by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from host_tools import identity as store
from host_tools import paths, policy
from host_tools.errors import ToolError
from host_tools.output import say
from host_tools.provision import record, unanswered
from host_tools.provision.calls import Calls
from host_tools.provision.policy_steps import MARK, SharedPolicy
from host_tools.provision.record import Made

_SETTLE_S, _POLL_S = 15.0, 0.5  # detaching is asynchronous (API reference, DetachThingPrincipal)


@dataclass(frozen=True)
class Removal:
    """What a teardown of one thing would remove from the cloud in use."""

    thing: str
    made: tuple[Made, ...]

    def of(self, *kinds: str) -> list[Made]:
        """Return the entries of some kinds, newest first."""
        return [each for each in reversed(self.made) if each.kind in kinds]

    def __str__(self) -> str:
        names = ["the thing"] if self.of(record.THING) else []
        names += [
            f"certificate {each.arn.rpartition('/')[2][:12]}…"
            for each in self.of(record.CERTIFICATE)
        ]
        names += ["its attachments"] if self.of(record.THING_ATTACHMENT) else []
        return ", ".join([*names, f"key and files in {paths.thing_folder(self.thing)}"])


def look(calls: Calls, thing: str) -> Removal:
    """Return what there is to remove. Raises ToolError if nothing was made in this cloud."""
    store.check_thing_name(thing)
    if not calls.dry_run:
        unanswered.find(calls, thing)
    made = record.read(thing)
    here = tuple(each for each in made if calls.place.holds(each.arn))
    if here or (not made and _has_files(calls, thing)):
        return Removal(thing, here)
    if not made:
        raise ToolError(f"nothing was made here for thing {thing}", "`provision --list`")
    region, account = made[-1].arn.split(":")[3:5]
    raise ToolError(
        f"{thing} was made in account {account}, {region}; this is {calls.place}",
        "--cloud, --region and --profile of that account",
    )


def _has_files(calls: Calls, thing: str) -> bool:
    # Left by a teardown that was cut short, or all in the cloud was there before.
    known = store.read(thing)
    if known is not None:
        return calls.place.holds(known.thing_arn)
    return (paths.thing_folder(thing) / record.FILE).exists()


class Teardown:
    """Removes things one after the other."""

    def __init__(self, calls: Calls, sleep: Callable[[float], object] = time.sleep) -> None:
        self._calls = calls
        self._sleep = sleep

    def remove(self, removals: list[Removal]) -> None:
        """Remove what was made for things, and the policy if nothing uses it any more.

        May raise what boto3 raises; ToolError if a thing is in use by somebody else.
        """
        leaving: set[str] = set()
        for removal in removals:
            say(f"thing {removal.thing}: {removal}")
            leaving |= {each.arn for each in removal.of(record.POLICY_ATTACHMENT)}
            self._detach(removal)
            self._delete_certificates(removal)
            self._delete_thing(removal)
        SharedPolicy(self._calls).remove_if_unused(leaving)
        for removal in [] if self._calls.dry_run else removals:
            _remove_files(removal.thing)  # last: they tell that there is something to finish

    def _detach(self, removal: Removal) -> None:
        for each in removal.of(record.THING_ATTACHMENT):
            attached = self._calls.every(
                "list_thing_principals", "principals", thingName=removal.thing
            )
            if each.arn in attached:
                self._calls.change(
                    "detach_thing_principal", thingName=removal.thing, principal=each.arn
                )
            self._gone(removal.thing, each)
        for each in removal.of(record.POLICY_ATTACHMENT):
            found = self._calls.every("list_attached_policies", "policies", target=each.arn)
            if policy.NAME in [item["policyName"] for item in found]:
                self._calls.change("detach_policy", policyName=policy.NAME, target=each.arn)
            self._gone(removal.thing, each)

    def _delete_certificates(self, removal: Removal) -> None:
        for each in removal.of(record.CERTIFICATE, record.ACTIVATION):
            identifier = each.arn.rpartition("/")[2]
            found = self._calls.find("describe_certificate", certificateId=identifier)
            if found and found["certificateDescription"]["status"] == "ACTIVE":
                self._calls.change(
                    "update_certificate", certificateId=identifier, newStatus="INACTIVE"
                )
            if found and each.kind == record.CERTIFICATE:
                self._patiently("delete_certificate", certificateId=identifier)
            self._gone(removal.thing, each)

    def _delete_thing(self, removal: Removal) -> None:
        for each in removal.of(record.THING):
            found = self._calls.find("describe_thing", thingName=removal.thing)
            if found and MARK not in found.get("attributes", {}).items():
                say(f"thing {removal.thing} stays: somebody else has made it anew")
            elif found:
                self._refuse_others(removal)
                self._patiently("delete_thing", thingName=removal.thing)
            self._gone(removal.thing, each)

    def _refuse_others(self, removal: Removal) -> None:
        attached = self._calls.every(
            "list_thing_principals", "principals", thingName=removal.thing
        )
        others = sorted(set(attached) - {each.arn for each in removal.made})
        if others:
            raise ToolError(
                f"thing {removal.thing} stays: a certificate not made here is attached, "
                f"{others[0]}",
                f"aws iot detach-thing-principal --thing-name {removal.thing} "
                f"--principal {others[0]}, then the same command",
            )

    def _patiently(self, method: str, **parameters: Any) -> None:
        # AWS may still see what was detached a moment ago.
        call: Callable[..., Any] = self._calls.change
        waited = 0.0
        while True:
            try:
                call(method, **parameters)
                return
            except ClientError as error:
                if not _may_pass(error) or waited >= _SETTLE_S:
                    raise
            self._sleep(_POLL_S)
            call, waited = self._calls.repeat, waited + _POLL_S

    def _gone(self, thing: str, made: Made) -> None:
        if not self._calls.dry_run:
            record.remove(thing, made)


def _may_pass(error: ClientError) -> bool:
    details = error.response.get("Error", {})
    still_attached = "attached" in str(details.get("Message", ""))
    return details.get("Code") == "DeleteConflictException" or (
        details.get("Code") == "InvalidRequestException" and still_attached
    )


def _remove_files(thing: str) -> None:
    # What was made in other accounts may still need the key and the record.
    made_elsewhere = record.read(thing)
    store.forget_identity(thing)
    if made_elsewhere:
        say(f"its key stays: other accounts know {thing}, {made_elsewhere[-1].arn}")
        return
    folder = paths.thing_folder(thing)
    store.remove_files(thing)
    (folder / record.FILE).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
