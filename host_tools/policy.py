"""The IoT policy that all sandbox devices share: connect as itself, use its own jobs, no more."""

from __future__ import annotations

import json
from typing import Any

NAME = "JobsSandboxThing"

# The variable has a value only if the certificate is attached to a thing whose name is the client
# id (developer guide, "Thing policy variables"); without one nothing matches and all is denied.
_THING = "${iot:Connection.Thing.ThingName}"
_JOBS = f"$aws/things/{_THING}/jobs"
_REQUESTS = ("get", "start-next", "*/get", "*/update")  # what the Jobs API has devices publish


def document(partition: str, region: str, account: str) -> dict[str, Any]:
    """Return the policy's document. `*` also stands for MQTT's + and # in a filter."""

    def arn(kind: str, name: str) -> str:
        return f"arn:{partition}:iot:{region}:{account}:{kind}/{name}"

    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iot:Connect",
                "Resource": arn("client", _THING),
                "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}},
            },
            {
                "Effect": "Allow",
                "Action": "iot:Publish",
                "Resource": [arn("topic", f"{_JOBS}/{request}") for request in _REQUESTS],
            },
            {
                "Effect": "Allow",
                "Action": "iot:Subscribe",
                "Resource": arn("topicfilter", f"{_JOBS}/*"),
            },
            {"Effect": "Allow", "Action": "iot:Receive", "Resource": arn("topic", f"{_JOBS}/*")},
        ],
    }


def same(text: str, wanted: dict[str, Any]) -> bool:
    """Say whether the stored text is the wanted document, whatever its white space."""
    try:
        return bool(json.loads(text) == wanted)
    except ValueError:
        return False
