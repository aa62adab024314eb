"""The checks of the cloud: the endpoint, and what it knows of the thing and its certificate."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.x509.oid import NameOID

from host_tools import deployed, identity, iot_policy
from host_tools.board import VirtualBoard
from host_tools.cloud.access import Cloud, MqttEndpoint
from host_tools.cloud.aws_errors import aws_errors
from host_tools.cloud.refusals import recent_refusals
from host_tools.doctor import authorization
from host_tools.doctor.check import Check, Verdict, World
from host_tools.errors import ToolError
from host_tools.identity import ThingIdentity
from host_tools.provision.calls import Calls

CLOUD = World("cloud")
_CONNECT_S = 5.0
_RECENT_S = 600.0
_SHOWN = 3
_ATS = "-ats.iot."


@dataclass(frozen=True)
class Patient:
    """The device that is looked at. `trouble`: the code of the board's last one; `deploy`: the
    command that deploys it.
    """

    identity: ThingIdentity
    client_id: str
    trouble: str = ""
    deploy: str = "`jobs-sandbox deploy`"


def checks(cloud: Cloud, patient: Patient | None, thing: str = "") -> Iterator[Check]:
    """Yield the checks; those of the thing only if there is one to look at. `thing`: the name of
    the one that is meant, also if nothing is known of it here.
    """
    calls = Calls(cloud)
    reached = _guarded("credentials", lambda: _credentials(calls))
    yield reached
    if reached.verdict is not Verdict.OK:
        return
    yield from _endpoint_checks(cloud, patient)
    if patient is None:
        yield _unknown(thing)
        return
    for name, check in _OF_THING.items():
        yield _guarded(name, lambda check=check: check(calls, patient))  # type: ignore[misc]


def _unknown(thing: str) -> Check:
    if not thing:
        return CLOUD.skip("thing", "no thing is given or deployed", "--thing NAME")
    what = f"{thing} is not provisioned on this computer"
    return CLOUD.skip("thing", what, f"`jobs-sandbox provision {thing}`")


def _endpoint_checks(cloud: Cloud, patient: Patient | None) -> Iterator[Check]:
    try:
        found = cloud.mqtt()
    except ToolError as error:
        yield CLOUD.failed("endpoint", error)
        return
    yield _endpoint(cloud, patient, found)
    yield _reachable(found)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        with aws_errors():
            return check()
    except ToolError as error:
        return CLOUD.failed(name, error)


def _credentials(calls: Calls) -> Check:
    if calls.cloud.local_info:
        calls.cloud.client("iot").describe_endpoint(endpointType="iot:Data-ATS")
        return CLOUD.ok("credentials", f"local IoT Core at {calls.cloud.endpoint_url}")
    return CLOUD.ok("credentials", str(calls.place))


def _endpoint(cloud: Cloud, patient: Patient | None, found: MqttEndpoint) -> Check:
    text = f"{found.host}:{found.port}"
    if cloud.kind == "aws" and _ATS not in found.host:
        return CLOUD.warn("endpoint", f"{text} is not an ATS endpoint of AWS IoT")
    if patient is None:
        return CLOUD.ok("endpoint", text)
    known = patient.identity
    if (known.endpoint, known.port) != (found.host, found.port):
        return CLOUD.fail(
            "endpoint",
            f"{known.thing} was provisioned for {known.endpoint}:{known.port}; this is {text}",
            f"the cloud it is of: --cloud {known.cloud}; or `jobs-sandbox provision "
            f"{known.thing}`, then {patient.deploy}",
        )
    return CLOUD.ok("endpoint", f"{text}, the one {known.thing} was provisioned for")


def _reachable(endpoint: MqttEndpoint) -> Check:
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=_CONNECT_S):
            return CLOUD.ok("reachable", f"{endpoint.host}:{endpoint.port} takes connections")
    except OSError as error:
        return CLOUD.fail(
            "reachable",
            f"{endpoint.host}:{endpoint.port} does not take connections: {error}",
            f"a firewall may drop port {endpoint.port}; the network, and its DNS server",
        )


def _thing(calls: Calls, patient: Patient) -> Check:
    thing = patient.identity.thing
    if calls.find("describe_thing", thingName=thing) is None:
        return CLOUD.fail("thing", f"there is no thing {thing}", _again(patient))
    return CLOUD.ok("thing", f"{thing} exists")


def _certificate(calls: Calls, patient: Patient) -> Check:
    name = patient.identity.certificate_id
    found = calls.find("describe_certificate", certificateId=name)
    if found is None:
        return CLOUD.fail(
            "certificate", f"certificate {name[:8]}… is not registered", _again(patient)
        )
    status = str(found["certificateDescription"]["status"])
    if status != "ACTIVE":
        command = calls.command("update_certificate", certificateId=name, newStatus="ACTIVE")
        return CLOUD.fail("certificate", f"certificate {name[:8]}… is {status}", " ".join(command))
    return CLOUD.ok("certificate", f"{name[:8]}… is ACTIVE")


def _attachments(calls: Calls, patient: Patient) -> Check:
    arn = patient.identity.certificate_arn
    if arn not in _principals(calls, patient.identity.thing):
        cause = f"the certificate is not attached to {patient.identity.thing}"
        return CLOUD.fail("attachments", cause, _again(patient))
    policies = calls.every("list_attached_policies", "policies", target=arn)
    if not policies:
        cause = "no policy is attached to the certificate: everything is denied"
        return CLOUD.fail("attachments", cause, _again(patient))
    names = ", ".join(str(each["policyName"]) for each in policies)
    return CLOUD.ok("attachments", f"thing, and {names}")


def _policy(calls: Calls, patient: Patient) -> Check:
    try:
        answers = _ask(calls, patient)
    except iot_policy.PolicyError as error:
        return CLOUD.warn(
            "policy", str(error), "simpler policies, as `jobs-sandbox provision` has"
        )
    denied = [each for each in answers if not each.allowed]
    if not denied:
        return CLOUD.ok("policy", f"allows all {len(answers)} actions of {patient.client_id}")
    shown = ", ".join(str(each.need) + _by(each) for each in denied[:_SHOWN])
    more = f" and {len(denied) - _SHOWN} more" if len(denied) > _SHOWN else ""
    return CLOUD.fail("policy", f"denies {shown}{more}", _way_to_allow(denied, patient))


def _way_to_allow(denied: list[authorization.Answer], patient: Patient) -> str:
    # 1. a Deny stays, whatever else is allowed; 2. the thing's variables have no value; 3. nothing
    # allows it, or the attachments that give the variables their value are missing
    thing = patient.identity.thing
    if any(each.by for each in denied):
        return "remove that Deny, or narrow its Resource"
    if patient.client_id != thing:
        return (
            f"{patient.deploy} with the thing's name as client id: only then "
            "${iot:Connection.Thing.ThingName} has a value"
        )
    return f"{_again(patient)}: its policy allows all this"


def _ask(calls: Calls, patient: Patient) -> list[authorization.Answer]:
    wanted = authorization.needs(patient.identity.thing, patient.client_id)
    arn = patient.identity.certificate_arn
    if calls.cloud.kind == "aws":
        return authorization.ask_aws(calls, arn, patient.client_id, wanted)
    attached = arn in _principals(calls, patient.client_id)
    things = (patient.client_id,) if attached else ()
    client = iot_policy.Client(patient.client_id, things, _common_name(patient.identity.thing))
    return authorization.evaluate(calls, arn, client, wanted)


def _common_name(thing: str) -> str | None:
    certificate = identity.certificate(thing)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME) if certificate else []
    return str(names[0].value) if names else None


def _by(answer: authorization.Answer) -> str:
    return f" (by {answer.by})" if answer.by else ""


def _client_id(calls: Calls, patient: Patient) -> Check:
    # The cloud tells nobody who is connected; the signs of it are here and on the board.
    if patient.trouble == "DROPPED_REPEATEDLY":
        return CLOUD.fail(
            "client id",
            f"another client may use the client id {patient.client_id}: connections are dropped",
            "a thing and client id for each board; close the AWS console's MQTT test client",
        )
    others = others_with(patient.identity.thing)
    if len(others) > 1:
        return CLOUD.fail(
            "client id",
            f"{' and '.join(others)} were both deployed as {patient.identity.thing}",
            "`jobs-sandbox provision` another thing, and deploy one of them as it",
        )
    return CLOUD.ok("client id", f"no sign of a second client {patient.client_id}")


def others_with(thing: str) -> list[str]:
    """Return the boards that were last deployed as `thing` and may run now, by name or port."""
    return sorted(
        board for board, each in deployed.things().items() if each == thing and _may_run(board)
    )


def _may_run(board: str) -> bool:
    # of a real board nobody here knows, even if it is not plugged in
    return "/" in board or VirtualBoard(board).info() is not None


def _jobs(calls: Calls, patient: Patient) -> Check:
    found: dict[str, list[str]] = {}
    for status in ("IN_PROGRESS", "QUEUED"):
        summaries = calls.every(
            "list_job_executions_for_thing",
            "executionSummaries",
            thingName=patient.identity.thing,
            status=status,
        )
        found[status] = [str(each["jobId"]) for each in summaries]
    text = "; ".join(f"{len(ids)} {status}{_named(ids)}" for status, ids in found.items())
    return CLOUD.ok("jobs", text)


def _named(ids: list[str]) -> str:
    return f" ({', '.join(ids[:_SHOWN])}{', …' if len(ids) > _SHOWN else ''})" if ids else ""


def _refusals(calls: Calls, patient: Patient) -> Check:
    if not calls.cloud.local_info:
        return CLOUD.skip("refusals", "only the local IoT Core tells what it refused")
    found = recent_refusals(since=time.time() - _RECENT_S, client=patient.client_id)
    if not found:
        return CLOUD.ok("refusals", "none of this client in the last 10 minutes")
    return CLOUD.warn("refusals", f"{len(found)} in the last 10 minutes; the last: {found[-1]}")


_OF_THING: dict[str, Callable[[Calls, Patient], Check]] = {
    "thing": _thing,
    "certificate": _certificate,
    "attachments": _attachments,
    "policy": _policy,
    "client id": _client_id,
    "jobs": _jobs,
    "refusals": _refusals,
}


def _principals(calls: Calls, thing: str) -> list[Any]:
    return calls.every("list_thing_principals", "principals", thingName=thing)


def _again(patient: Patient) -> str:
    return f"`jobs-sandbox provision {patient.identity.thing}`"
