"""The calls to the cloud: each one shown as the AWS CLI command that does the same.

Calls that only look are made at once. Calls that change something are shown first; in a dry run
they are shown and collected, and not made.
"""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host_tools.cloud.access import Cloud
from host_tools.output import say

_ARN_FIELDS = 5  # arn:PARTITION:SERVICE:REGION:ACCOUNT:…


@dataclass(frozen=True)
class Place:
    """An account's part of the world, as it stands in every ARN."""

    partition: str
    region: str
    account: str

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of something of AWS IoT here, a "thing" for instance."""
        return f"arn:{self.partition}:iot:{self.region}:{self.account}:{kind}/{name}"

    def holds(self, arn: str) -> bool:
        """Say whether the ARN is of this place."""
        return arn.startswith(self.arn("", "")[:-1])

    def __str__(self) -> str:
        return f"account {self.account}, {self.region}"


@dataclass(frozen=True)
class Call:
    """A call that changes something. `command`: the same for the AWS CLI, as words."""

    operation: str
    parameters: Mapping[str, Any]
    command: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what `--dry-run --json` prints."""
        return {
            "service": "iot",
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "command": shlex.join(self.command),
        }


class Calls:
    """The calls to one cloud; in a dry run those that change something end in `planned`."""

    def __init__(self, cloud: Cloud, *, dry_run: bool = False) -> None:
        self.cloud = cloud
        self.dry_run = dry_run
        self.planned: list[Call] = []

    @functools.cached_property
    def _iot(self) -> Any:
        return self.cloud.client("iot")

    @functools.cached_property
    def place(self) -> Place:
        """Where the cloud in use would make things; asks STS, which needs no permission."""
        if self.cloud.local_info:
            return Place("aws", self.cloud.region, self.cloud.local_info.account)
        answer = self.cloud.client("sts").get_caller_identity()
        partition = str(answer["Arn"]).split(":", _ARN_FIELDS)[1]
        return Place(partition, self.cloud.region, str(answer["Account"]))

    def find(self, method: str, **parameters: Any) -> Any:
        """Return the answer of a call that only looks, None if there is no such resource."""
        try:
            return getattr(self._iot, method)(**parameters)
        except self._iot.exceptions.ResourceNotFoundException:
            return None

    def every(self, method: str, member: str, **parameters: Any) -> list[Any]:
        """Return a list over all its pages, [] if what it belongs to does not exist."""
        pages = self._iot.get_paginator(method).paginate(**parameters)
        try:
            return [each for page in pages for each in page[member]]
        except self._iot.exceptions.ResourceNotFoundException:
            return []

    def change(
        self, method: str, files: Mapping[str, str] | None = None, **parameters: Any
    ) -> Any:
        """Show, and unless this is a dry run make, a call; returns its answer, {} in a dry run.

        `files`: parameter → path of a file with its value, for the command that is shown.
        """
        shown = dict(parameters)
        for name, path in ({} if self.dry_run else files or {}).items():
            shown[name] = f"file://{path}"
        operation = self._iot.meta.method_to_api_mapping[method]
        call = Call(operation, parameters, tuple(self.command(method, **shown)))
        if self.dry_run:
            self.planned.append(call)
            return {}
        say("  $ " + shlex.join(call.command))
        return self.repeat(method, **parameters)

    def repeat(self, method: str, **parameters: Any) -> Any:
        """Make a call, that was shown before, again."""
        return getattr(self._iot, method)(**parameters)

    def command(self, method: str, **parameters: Any) -> list[str]:
        """Return the words of the AWS CLI command that makes a call."""
        operation = self._iot.meta.method_to_api_mapping[method]
        members = self._iot.meta.service_model.operation_model(operation).input_shape.members
        words = [*self._aws_cli(), "iot", method.replace("_", "-")]
        for name in members:  # in the order of the model
            if name in parameters:
                words += _option(name, parameters[name])
        return words

    def _aws_cli(self) -> list[str]:
        if self.cloud.kind == "aws":
            profile = ["--profile", self.cloud.profile] if self.cloud.profile else []
            return ["aws", "--region", self.cloud.region, *profile]
        if self.cloud.local_info:
            return ["jobs-sandbox", "aws"]
        return ["aws", "--endpoint-url", str(self.cloud.endpoint_url)]


def _option(name: str, value: Any) -> list[str]:
    # as the AWS CLI names the members of a botocore model
    from botocore import xform_name

    option = "--" + xform_name(name, "-")
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    return [option, value if isinstance(value, str) else json.dumps(value)]
