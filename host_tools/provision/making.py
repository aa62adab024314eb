"""Makes a thing in a cloud, and its identity on this computer, through boto3.

Every step looks first and can be repeated: what is there and good is used, what is missing is
made, so a run that failed half-way is finished by the next. The private key is made here, kept
before anything is sent, and never leaves this computer except to the board.
"""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from host_tools import identity as store
from host_tools import policy
from host_tools.cloud.access import Cloud, MqttEndpoint, aws_errors
from host_tools.errors import ToolError
from host_tools.identity import PrivateKey, ThingIdentity
from host_tools.output import say, say_command
from host_tools.provision import record, unanswered
from host_tools.provision.calls import Call, Calls
from host_tools.provision.policy_steps import MARK, SharedPolicy

CERTIFICATE_PLACEHOLDER = "CERTIFICATE_ARN"  # in a dry run, for one that is yet to be made
_MOST_COMMON_NAME = 64  # characters, X.520


@dataclass(frozen=True)
class Given:
    """A certificate and its key that exist already, in PEM or DER files."""

    certificate: Path
    key: Path


def provision(cloud: Cloud, thing: str, given: Given | None = None) -> ThingIdentity:
    """Make, or complete, a thing and its identity; says each step. Returns the identity.

    Raises UsageError for an impossible name, ToolError for whatever the cloud refuses.
    """
    store.check_thing_name(thing)
    with aws_errors():
        calls = Calls(cloud)
        return Provisioning(calls, SharedPolicy(calls)).make(thing, given)


def plan(cloud: Cloud, things: list[str], given: Given | None = None) -> list[Call]:
    """Return the calls that would be made for things; looks, and makes nothing anywhere."""
    with aws_errors():
        calls = Calls(cloud, dry_run=True)
        provisioning = Provisioning(calls, SharedPolicy(calls))
        for thing in things:
            provisioning.rehearse(thing, given)
        return calls.planned


class Provisioning:
    """Makes things, one after the other, with one policy."""

    def __init__(self, calls: Calls, shared: SharedPolicy) -> None:
        self._calls = calls
        self._shared = shared

    @functools.cached_property
    def _endpoint(self) -> MqttEndpoint:
        return self._calls.cloud.mqtt()

    def make(self, thing: str, given: Given | None = None) -> ThingIdentity:
        """Make or complete one thing. May raise what boto3 raises."""
        before = store.read(thing)
        self._settle_thing(thing)
        self._shared.settle()
        certificate_arn = self._certificate_arn(thing, before, given)
        principals = self._attach(thing, certificate_arn)
        made = self._keep(thing, certificate_arn)
        for other in sorted(principals - {certificate_arn}):
            say(f"note: {thing} has another certificate, {other}; if no device uses it:")
            identifier = other.rpartition("/")[2]
            say_command(
                self._calls.command(
                    "update_certificate", certificateId=identifier, newStatus="INACTIVE"
                )
            )
        return made

    def rehearse(self, thing: str, given: Given | None = None) -> None:
        """Plan the calls for one thing."""
        before = store.read(thing)
        self._settle_thing(thing)
        self._shared.settle()
        self._attach(thing, self._certificate_arn(thing, before, given))

    def _settle_thing(self, thing: str) -> None:
        if self._calls.find("describe_thing", thingName=thing):
            say(f"thing {thing} exists")
            return
        say(f"thing {thing} is made")
        if not self._calls.dry_run:
            record.add(thing, record.THING, self._calls.place.arn("thing", thing))
        self._calls.change(
            "create_thing", thingName=thing, attributePayload={"attributes": dict([MARK])}
        )

    def _certificate_arn(
        self, thing: str, before: ThingIdentity | None, given: Given | None
    ) -> str:
        if given:
            return self._given(thing, given)
        key = store.private_key(thing)
        found = store.certificate(thing)
        if key is not None and found is not None:
            arn, trouble = self._usable(key, found)
            if not trouble:
                say("certificate is ACTIVE and matches the key; both are kept")
                self._keep_pair(thing, key, found)  # why: a DER file may have gone missing
                return arn
            say(_why_remade(trouble, before, self._calls.cloud))
        return self._unanswered(thing) or self._new_certificate(thing, key)

    def _unanswered(self, thing: str) -> str:
        # the ARN of a certificate that an earlier run was not told of, or ""
        pem = None if self._calls.dry_run else unanswered.find(self._calls, thing)
        if pem is None:
            return ""
        store.forget_identity(thing)
        store.keep_certificate(thing, pem)
        unanswered.answered(thing)
        identifier = store.certificate_id(x509.load_pem_x509_certificate(pem))
        return self._calls.place.arn("cert", identifier)

    def _usable(self, key: PrivateKey, found: x509.Certificate) -> tuple[str, str]:
        # (ARN, ""), or ("", why it cannot be used)
        if found.public_key() != key.public_key():
            return "", "it does not match the private key"
        if found.not_valid_after_utc <= datetime.datetime.now(datetime.UTC):
            return "", f"it expired on {found.not_valid_after_utc:%Y-%m-%d}"
        description = self._description(found)
        if description is None:
            return "", "this cloud does not know it"
        status = description["status"]
        return str(description["certificateArn"]), "" if status == "ACTIVE" else f"it is {status}"

    def _new_certificate(self, thing: str, key: PrivateKey | None) -> str:
        if key is None:
            say("private key is made: EC P-256, here, only the board will get it")
        say("certificate is made from a signing request")
        if self._calls.dry_run:
            self._calls.change(
                "create_certificate_from_csr",
                certificateSigningRequest="file://request.pem",
                setAsActive=True,
            )
            return CERTIFICATE_PLACEHOLDER
        store.forget_identity(thing)
        key = key or store.make_private_key(thing)
        pem = _signing_request(thing, key)
        answer = unanswered.ask(self._calls, thing, pem)
        record.add(thing, record.CERTIFICATE, str(answer["certificateArn"]))
        made = str(answer["certificatePem"]).encode("ascii")
        if x509.load_pem_x509_certificate(made).public_key() != key.public_key():
            raise ToolError("the cloud returned a certificate for another key", "provision again")
        store.keep_certificate(thing, made)
        unanswered.answered(thing)
        return str(answer["certificateArn"])

    def _given(self, thing: str, given: Given) -> str:
        key, certificate = _read_pair(given)
        arn = self._calls.place.arn("cert", store.certificate_id(certificate))
        description = self._description(certificate)
        if description is None:
            self._register(thing, certificate, given.certificate.absolute())
        elif description["status"] == "INACTIVE":
            say("certificate is INACTIVE; it is made ACTIVE")
            self._note(thing, record.ACTIVATION, arn)
            identifier = store.certificate_id(certificate)
            self._calls.change("update_certificate", certificateId=identifier, newStatus="ACTIVE")
        elif description["status"] != "ACTIVE":
            raise ToolError(
                f"the certificate {given.certificate} is {description['status']}",
                "another one, or none: provision makes one",
            )
        else:
            say("certificate is registered and ACTIVE")
        if not self._calls.dry_run:
            store.forget_identity(thing)
            self._keep_pair(thing, key, certificate)
        return arn

    def _register(self, thing: str, certificate: x509.Certificate, file: Path) -> None:
        # without its issuer: devices then must send SNI, as the firmware does
        say("certificate is registered")
        arn = self._calls.place.arn("cert", store.certificate_id(certificate))
        self._note(thing, record.CERTIFICATE, arn)
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
        self._calls.change(
            "register_certificate_without_ca",
            {"certificatePem": str(file)},
            certificatePem=pem,
            status="ACTIVE",
        )

    def _attach(self, thing: str, certificate_arn: str) -> set[str]:
        # Returns the certificates that the thing has, this one included.
        new = certificate_arn == CERTIFICATE_PLACEHOLDER
        policies = [] if new else self._policies_of(certificate_arn)
        if policy.NAME not in policies:
            say("policy is attached to the certificate")
            self._note(thing, record.POLICY_ATTACHMENT, certificate_arn)
            self._calls.change("attach_policy", policyName=policy.NAME, target=certificate_arn)
        principals = self._calls.every("list_thing_principals", "principals", thingName=thing)
        if certificate_arn not in principals:
            say("thing is attached to the certificate")
            self._note(thing, record.THING_ATTACHMENT, certificate_arn)
            self._calls.change(
                "attach_thing_principal", thingName=thing, principal=certificate_arn
            )
        return {str(each) for each in principals} | {certificate_arn}

    def _policies_of(self, certificate_arn: str) -> list[str]:
        found = self._calls.every("list_attached_policies", "policies", target=certificate_arn)
        return [str(each["policyName"]) for each in found]

    def _keep(self, thing: str, certificate_arn: str) -> ThingIdentity:
        endpoint = self._endpoint
        store.keep_roots(thing, endpoint.roots)
        place = self._calls.place
        made = ThingIdentity(
            thing=thing,
            thing_arn=place.arn("thing", thing),
            certificate_arn=certificate_arn,
            certificate_id=certificate_arn.rpartition("/")[2],
            policy=policy.NAME,
            endpoint=endpoint.host,
            port=endpoint.port,
            region=place.region,
            account=place.account,
            cloud=self._calls.cloud.kind,
        )
        store.keep_identity(made)
        return made

    def _description(self, certificate: x509.Certificate) -> Any:
        identifier = store.certificate_id(certificate)
        answer = self._calls.find("describe_certificate", certificateId=identifier)
        return answer and answer["certificateDescription"]

    def _keep_pair(self, thing: str, key: PrivateKey, certificate: x509.Certificate) -> None:
        if not self._calls.dry_run:
            store.keep_private_key(thing, key)
            pem = certificate.public_bytes(serialization.Encoding.PEM)
            store.keep_certificate(thing, pem)

    def _note(self, thing: str, kind: str, arn: str) -> None:
        if not self._calls.dry_run:
            record.add(thing, kind, arn)


def _signing_request(thing: str, key: PrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, thing[:_MOST_COMMON_NAME])])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _read_pair(given: Given) -> tuple[PrivateKey, x509.Certificate]:
    from host_tools.sandbox import credentials

    credentials.read(given.certificate, given.key, ())  # checks that they fit and are valid
    certificate = credentials.read_certificates(given.certificate)[0]
    return credentials.read_key(given.key), certificate


def _why_remade(trouble: str, before: ThingIdentity | None, cloud: Cloud) -> str:
    text = f"certificate cannot be used: {trouble}; a new one is made for the same key"
    if before is not None and before.cloud != cloud.kind:
        text += f" (the old one was for cloud {before.cloud})"
    return text
