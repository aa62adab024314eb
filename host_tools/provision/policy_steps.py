"""Makes the shared policy what it must be, and removes it when nothing needs it any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from host_tools import paths, policy
from host_tools.errors import ToolError
from host_tools.output import say
from host_tools.provision.calls import Calls

MARK = ("created-by", "jobs-sandbox")  # tag of the policy, attribute of things: they have no tags
_MOST_VERSIONS = 5  # AWS IoT quota "policy versions"


class SharedPolicy:
    """The policy in one cloud; looks once, however many things use it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._settled = False
        self._arn = calls.place.arn("policy", policy.NAME)

    def settle(self) -> None:
        """Make the policy, or a new version if its text is another. Says what is done.

        Raises ToolError if the text is another and the policy is not ours to change.
        """
        if self._settled:
            return
        place = self._calls.place
        wanted = policy.document(place.partition, place.region, place.account)
        found = self._calls.find("get_policy", policyName=policy.NAME)
        if found is None:
            self._make(wanted)
        elif policy.same(found["policyDocument"], wanted):
            say(f"policy {policy.NAME} exists")
        else:
            self._change(wanted)
        self._settled = True

    def remove_if_unused(self, leaving: set[str]) -> None:
        """Remove the policy, unless it is not ours or is attached to others than `leaving`."""
        name = policy.NAME
        if self._calls.find("get_policy", policyName=name) is None:
            return
        targets = set(self._calls.every("list_targets_for_policy", "targets", policyName=name))
        others = targets - leaving  # AWS may still list what was detached a moment ago
        if others:
            say(f"policy {name} stays: {len(others)} other certificates use it")
        elif not self._is_ours():
            say(f"policy {name} stays: it was not made by jobs-sandbox")
        else:
            self._remove()

    def _make(self, wanted: dict[str, Any]) -> None:
        say(f"policy {policy.NAME} is made: a thing may connect as itself and use its jobs")
        key, value = MARK
        self._calls.change(
            "create_policy",
            self._shown(wanted),
            policyName=policy.NAME,
            policyDocument=json.dumps(wanted),
            tags=[{"Key": key, "Value": value}],
        )

    def _change(self, wanted: dict[str, Any]) -> None:
        if not self._is_ours():
            raise ToolError(
                f"policy {policy.NAME} has another text and was not made by jobs-sandbox",
                "rename it; or to hand it over: aws iot tag-resource "
                f"--resource-arn {self._arn} --tags Key={MARK[0]},Value={MARK[1]}",
            )
        self._make_room()
        say(f"policy {policy.NAME} has another text; a new version is made")
        self._calls.change(
            "create_policy_version",
            self._shown(wanted),
            policyName=policy.NAME,
            policyDocument=json.dumps(wanted),
            setAsDefault=True,
        )

    def _make_room(self) -> None:
        versions = self._versions()
        if len(versions) < _MOST_VERSIONS:
            return
        spare = [int(each["versionId"]) for each in versions if not each["isDefaultVersion"]]
        oldest = str(min(spare))
        say(f"policy {policy.NAME} has {len(versions)} versions; the oldest, {oldest}, is deleted")
        self._delete_version(oldest)

    def _remove(self) -> None:
        say(f"policy {policy.NAME} is deleted: nothing uses it any more")
        for version in self._versions():
            if not version["isDefaultVersion"]:
                self._delete_version(str(version["versionId"]))
        self._calls.change("delete_policy", policyName=policy.NAME)
        if not self._calls.dry_run:
            _file().unlink(missing_ok=True)

    def _delete_version(self, version: str) -> None:
        self._calls.change(
            "delete_policy_version", policyName=policy.NAME, policyVersionId=version
        )

    def _versions(self) -> list[dict[str, Any]]:
        answer = self._calls.find("list_policy_versions", policyName=policy.NAME) or {}
        return list(answer.get("policyVersions", ()))

    def _is_ours(self) -> bool:
        tags = self._calls.every("list_tags_for_resource", "tags", resourceArn=self._arn)
        return MARK in {(each["Key"], each.get("Value")) for each in tags}

    def _shown(self, wanted: dict[str, Any]) -> dict[str, str]:
        # for the command shown: a policy is a page of text
        if not self._calls.dry_run:
            _file().write_text(json.dumps(wanted, indent=2), encoding="ascii")
        return {"policyDocument": str(_file())}


def _file() -> Path:
    return paths.home() / "policy.json"
