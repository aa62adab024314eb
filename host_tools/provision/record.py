"""What was made for a thing, in made.json beside its key, so that just that can be removed again.

An entry is written before the call whose effect it names, where the name is known before; so
nothing is forgotten when a run is cut short, and a teardown looks before it removes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from host_tools import identity, paths
from host_tools.errors import ToolError

FILE = "made.json"

THING = "thing"
CERTIFICATE = "certificate"  # made, or registered with the cloud, here
ACTIVATION = "activation"  # of a certificate that was there, and INACTIVE
POLICY_ATTACHMENT = "policy attachment"
THING_ATTACHMENT = "thing attachment"


@dataclass(frozen=True)
class Made:
    """One thing made. `arn`: of the thing, for all others of the certificate."""

    kind: str
    arn: str


def read(thing: str) -> list[Made]:
    """Return what was made for a thing, oldest first. Raises ToolError for a damaged file."""
    path = paths.thing_folder(thing) / FILE
    try:
        return [Made(each["kind"], each["arn"]) for each in json.loads(path.read_text())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"{path} is damaged: {error!r}", f"rm '{path}': what was made will then stay"
        ) from error


def add(thing: str, kind: str, arn: str) -> None:
    """Note that something is made, or about to be."""
    known, new = read(thing), Made(kind, arn)
    if new not in known:
        _write(thing, [*known, new])


def remove(thing: str, gone: Made) -> None:
    """Note that something is gone."""
    _write(thing, [each for each in read(thing) if each != gone])


def _write(thing: str, made: list[Made]) -> None:
    content = json.dumps([asdict(each) for each in made], indent=2)
    identity.keep(thing, FILE, content.encode("ascii") + b"\n")
