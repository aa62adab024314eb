"""The checks of the board's key and certificate, against those this computer keeps of its thing.

The board's own files are told by their SHA-256 only: a key that lies on a board is not read.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from host_tools import identity
from host_tools.deploy import plan
from host_tools.doctor.check import Check, World
from host_tools.doctor.facts import Facts
from host_tools.errors import ToolError
from host_tools.target import Target

_SOON = datetime.timedelta(days=30)


def checks(
    world: World, target: Target, thing: str, facts: Facts | None, now: datetime.datetime
) -> Iterator[Check]:
    """Yield the checks of a thing's credentials; `facts` of the board that is it, if any."""
    deploy = target.command(f"deploy --thing {thing}")
    again = f"`jobs-sandbox provision {thing}`, then {deploy}"
    try:
        known = identity.identity(thing)
        credentials = known.credentials()
        yield _match(world, thing, again)
        yield _dates(world, thing, again, now)
    except ToolError as error:
        yield world.failed("credentials", error)
        return
    if facts is not None:
        yield _same(world, credentials, facts, thing, deploy)


def _match(world: World, thing: str, again: str) -> Check:
    key, certificate = identity.private_key(thing), identity.certificate(thing)
    if key is None or certificate is None:
        return world.fail("key", f"the key or the certificate of {thing} is missing", again)
    forms = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*forms) != certificate.public_key().public_bytes(*forms):
        return world.fail("key", "the private key is not that of the certificate", again)
    return world.ok("key", "belongs to the certificate")


def _dates(world: World, thing: str, again: str, now: datetime.datetime) -> Check:
    certificate = identity.certificate(thing)
    if certificate is None:
        return world.skip("certificate dates", "there is no certificate")
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    text = f"valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
    if now < begins:
        fix = "set the clocks of this computer and the board"
        return world.fail("certificate dates", f"{text}: not yet valid", fix)
    if now > ends:
        return world.fail("certificate dates", f"{text}: it has expired", again)
    if now > ends - _SOON:
        return world.warn("certificate dates", f"{text}: it expires soon", again)
    return world.ok("certificate dates", text)


def _same(
    world: World, credentials: dict[str, bytes], facts: Facts, thing: str, deploy: str
) -> Check:
    wrong = [
        name
        for name, content in credentials.items()
        if facts.files.get(f"/credentials/{name}") != plan.sha256(content)
    ]
    if wrong:
        return world.fail(
            "credentials",
            f"not those of {thing} on this computer: {', '.join(wrong)}",
            deploy,
        )
    return world.ok("credentials", f"those of {thing} on this computer")
