"""What was provisioned: the identities on this computer, and what the cloud says about them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from host_tools import identity, paths
from host_tools.provision import record
from host_tools.provision.calls import Calls
from host_tools.provision.policy_steps import MARK

UNKNOWN, ELSEWHERE, GONE, UNFINISHED, REMOTE = (
    "not asked",
    "elsewhere",
    "gone",
    "unfinished",
    "no key here",
)


@dataclass(frozen=True)
class Row:
    """A thing. `state`: that of its certificate in the cloud, or one of the words above."""

    thing: str
    state: str
    cloud: str = ""
    region: str = ""
    account: str = ""
    certificate_id: str = ""
    expires: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what `--json` prints."""
        return asdict(self)


def rows(calls: Calls | None) -> list[Row]:
    """Return what is known, sorted by name; without `calls` no cloud is asked."""
    here = {thing: _row(thing, calls) for thing in _folders()}
    remote = _marked(calls) if calls else []
    for thing in remote:
        if thing not in here and calls:
            place = calls.place
            here[thing] = Row(thing, REMOTE, calls.cloud.kind, place.region, place.account)
    return [here[thing] for thing in sorted(here)]


def _folders() -> list[str]:
    # those with thing.json, and those where a run was cut short
    found = (paths.home() / "things").glob("*/")
    return [
        folder.name.replace("=", ":")
        for folder in found
        if (folder / "thing.json").exists() or (folder / record.FILE).exists()
    ]


def _row(thing: str, calls: Calls | None) -> Row:
    known = identity.read(thing)
    if known is None:
        return Row(thing, UNFINISHED)
    certificate = identity.certificate(thing)
    return Row(
        thing=thing,
        state=_state(known.certificate_arn, known.certificate_id, calls),
        cloud=known.cloud,
        region=known.region,
        account=known.account,
        certificate_id=known.certificate_id,
        expires=f"{certificate.not_valid_after_utc:%Y-%m-%d}" if certificate else "",
    )


def _state(arn: str, certificate_id: str, calls: Calls | None) -> str:
    if calls is None:
        return UNKNOWN
    if not calls.place.holds(arn):
        return ELSEWHERE
    answer: Any = calls.find("describe_certificate", certificateId=certificate_id)
    return str(answer["certificateDescription"]["status"]) if answer else GONE


def _marked(calls: Calls) -> list[str]:
    name, value = MARK
    found = calls.every("list_things", "things", attributeName=name, attributeValue=value)
    return [str(each["thingName"]) for each in found]
