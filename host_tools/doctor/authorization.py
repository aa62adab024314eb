"""Whether the policies let a device do what the firmware does, action by action.

AWS itself is asked (`iot:TestAuthorization`); the local IoT Core has no such call, so the policies
are read and evaluated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from host_tools import firmware_modules, iot_policy
from host_tools.provision.calls import Calls

_PER_CALL = 10  # botocore, iot, TestAuthorizationRequest, authInfos
_JOB = "doctor"  # stands for any job's id
_OUTCOMES = ("accepted", "rejected")
_REQUESTS = ("get", "start-next", f"{_JOB}/get", f"{_JOB}/update")


@dataclass(frozen=True)
class Need:
    """An action that the firmware takes; `resource` as in `topic/$aws/things/…`."""

    action: str
    resource: str

    def __str__(self) -> str:
        return f"iot:{self.action.capitalize()} on {self.resource}"


@dataclass(frozen=True)
class Answer:
    """Whether it is allowed; `by` names policies or statements, "" if none speaks of it."""

    need: Need
    allowed: bool
    by: str = ""


def needs(thing: str, client_id: str) -> list[Need]:
    """Return all that the firmware does with its connection, in the order in which it does."""
    topics = firmware_modules.load("topics")
    start = topics.prefix(thing)
    filters = [name for name, _ in topics.filters(thing)]
    received = [name for name in filters if "+" not in name]  # notifications
    received += [f"{start}{each}/{outcome}" for each in _REQUESTS for outcome in _OUTCOMES]
    return [
        Need("CONNECT", f"client/{client_id}"),
        *(Need("SUBSCRIBE", f"topicfilter/{each}") for each in filters),
        *(Need("RECEIVE", f"topic/{each}") for each in received),
        *(Need("PUBLISH", f"topic/{start}{each}") for each in _REQUESTS),
    ]


def ask_aws(
    calls: Calls, certificate_arn: str, client_id: str, wanted: list[Need]
) -> list[Answer]:
    """Ask AWS about each need; raises what boto3 raises."""
    results: dict[tuple[str, str], dict[str, Any]] = {}
    for begin in range(0, len(wanted), _PER_CALL):
        infos = [
            {"actionType": each.action, "resources": [_arn(calls, each)]}
            for each in wanted[begin : begin + _PER_CALL]
        ]
        found = calls.find(
            "test_authorization", principal=certificate_arn, clientId=client_id, authInfos=infos
        )
        for each in (found or {}).get("authResults", ()):
            results[each["authInfo"]["actionType"], each["authInfo"]["resources"][0]] = each
    return [_answer(each, results.get((each.action, _arn(calls, each)), {})) for each in wanted]


def evaluate(
    calls: Calls, certificate_arn: str, client: iot_policy.Client, wanted: list[Need]
) -> list[Answer]:
    """Evaluate the certificate's policies here. Raises PolicyError for one that is not
    understood, or what boto3 raises.
    """
    documents = dict(_documents(calls, certificate_arn))
    found = []
    for each in wanted:
        action = f"iot:{each.action.capitalize()}"
        decision = iot_policy.decide(documents, client, action, _arn(calls, each))
        found.append(Answer(each, decision.allowed, decision.by))
    return found


def _documents(calls: Calls, certificate_arn: str) -> Iterator[tuple[str, str]]:
    for each in calls.every("list_attached_policies", "policies", target=certificate_arn):
        found = calls.find("get_policy", policyName=each["policyName"])
        if found:
            yield str(each["policyName"]), str(found["policyDocument"])


def _answer(need: Need, result: dict[str, Any]) -> Answer:
    denied = result.get("denied", {}).get("explicitDeny", {}).get("policies", ())
    names = ", ".join(each["policyName"] for each in denied)
    return Answer(need, result.get("authDecision") == "ALLOWED", names)


def _arn(calls: Calls, need: Need) -> str:
    kind, _, name = need.resource.partition("/")
    return calls.place.arn(kind, name)
