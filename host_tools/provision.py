"""Makes a thing in a cloud, and its identity on this computer, through boto3.

Every step looks first and can be repeated: what is there and good is used, what is missing is
made, so a run that failed half-way is finished by the next. The private key is made here, kept
before anything is sent, and never leaves this computer except to the board.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from host_tools import identity as store
from host_tools import paths, policy
from host_tools.cloud.access import Cloud, aws_errors
from host_tools.errors import ToolError
from host_tools.identity import ThingIdentity, identity, provisioned
from host_tools.output import say, say_command

__all__ = ["identity", "provision", "provisioned"]

_MOST_POLICY_VERSIONS = 5  # AWS IoT quota "policy versions"
_MOST_COMMON_NAME = 64  # characters, X.520


def provision(cloud: Cloud, thing: str) -> ThingIdentity:
    """Make, or complete, a thing and its identity; says each step. Returns the identity.

    Raises UsageError for an impossible name, ToolError for whatever the cloud refuses.
    """
    store.check_thing_name(thing)
    before = store.read(thing)
    with aws_errors():
        return _Provisioning(cloud, thing).run(before)


class _Provisioning:
    def __init__(self, cloud: Cloud, thing: str) -> None:
        self._cloud = cloud
        self._thing = thing
        self._iot = cloud.client("iot")

    def run(self, before: ThingIdentity | None) -> ThingIdentity:
        thing_arn = self._thing_arn()
        # arn:PARTITION:iot:REGION:ACCOUNT:thing/NAME
        _, partition, _, region, account, _ = thing_arn.split(":", 5)
        self._settle_policy(policy.document(partition, region, account))
        certificate_arn = self._certificate_arn(before)
        self._attach(certificate_arn)
        endpoint = self._cloud.mqtt()
        store.keep_roots(self._thing, endpoint.roots)
        made = ThingIdentity(
            thing=self._thing,
            thing_arn=thing_arn,
            certificate_arn=certificate_arn,
            certificate_id=certificate_arn.rpartition("/")[2],
            policy=policy.NAME,
            endpoint=endpoint.host,
            port=endpoint.port,
            region=region,
            account=account,
            cloud=self._cloud.kind,
        )
        store.keep_identity(made)
        self._mention_other_certificates(certificate_arn)
        return made

    def _thing_arn(self) -> str:
        try:
            arn = self._iot.describe_thing(thingName=self._thing)["thingArn"]
            say(f"thing {self._thing} exists")
        except self._iot.exceptions.ResourceNotFoundException:
            say(f"thing {self._thing} is made")
            self._say_command("create-thing", "--thing-name", self._thing)
            arn = self._iot.create_thing(thingName=self._thing)["thingArn"]
        return str(arn)

    def _settle_policy(self, wanted: dict[str, Any]) -> None:
        text = json.dumps(wanted, indent=2)
        store.keep(self._thing, "policy.json", text.encode("ascii"))
        try:
            found = self._iot.get_policy(policyName=policy.NAME)["policyDocument"]
        except self._iot.exceptions.ResourceNotFoundException:
            say(f"policy {policy.NAME} is made: a thing may connect as itself and use its jobs")
            self._say_policy_command("create-policy")
            self._iot.create_policy(policyName=policy.NAME, policyDocument=text)
            return
        if policy.same(found, wanted):
            say(f"policy {policy.NAME} exists")
            return
        self._make_room_for_policy_version()
        say(f"policy {policy.NAME} has another text; a new version is made")
        self._say_policy_command("create-policy-version", "--set-as-default")
        self._iot.create_policy_version(
            policyName=policy.NAME, policyDocument=text, setAsDefault=True
        )

    def _make_room_for_policy_version(self) -> None:
        versions = self._iot.list_policy_versions(policyName=policy.NAME)["policyVersions"]
        if len(versions) < _MOST_POLICY_VERSIONS:
            return
        spare = [int(each["versionId"]) for each in versions if not each["isDefaultVersion"]]
        oldest = str(min(spare))
        say(f"policy {policy.NAME} has {len(versions)} versions; the oldest, {oldest}, is deleted")
        name = ("--policy-name", policy.NAME)
        self._say_command("delete-policy-version", *name, "--policy-version-id", oldest)
        self._iot.delete_policy_version(policyName=policy.NAME, policyVersionId=oldest)

    def _certificate_arn(self, before: ThingIdentity | None) -> str:
        key = store.private_key(self._thing)
        found = store.certificate(self._thing)
        if key is not None and found is not None:
            arn, trouble = self._usable(key, found)
            if not trouble:
                say("certificate is ACTIVE and matches the key; both are kept")
                store.keep_private_key(self._thing, key)  # why: a DER file may have gone missing
                store.keep_certificate(self._thing, found.public_bytes(serialization.Encoding.PEM))
                return arn
            say(_why_remade(trouble, before, self._cloud))
        store.forget_identity(self._thing)
        if key is None:
            say("private key is made: EC P-256, here, only the board will get it")
            key = store.make_private_key(self._thing)
        return self._new_certificate(key)

    def _usable(self, key: ec.EllipticCurvePrivateKey, found: x509.Certificate) -> tuple[str, str]:
        # (ARN, ""), or ("", why it cannot be used)
        if found.public_key() != key.public_key():
            return "", "it does not match the private key"
        if found.not_valid_after_utc <= datetime.datetime.now(datetime.UTC):
            return "", f"it expired on {found.not_valid_after_utc:%Y-%m-%d}"
        try:
            answer = self._iot.describe_certificate(certificateId=store.certificate_id(found))
        except self._iot.exceptions.ResourceNotFoundException:
            return "", "this cloud does not know it"
        status = answer["certificateDescription"]["status"]
        return str(answer["certificateDescription"]["certificateArn"]), (
            "" if status == "ACTIVE" else f"it is {status}"
        )

    def _new_certificate(self, key: ec.EllipticCurvePrivateKey) -> str:
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, self._thing[:_MOST_COMMON_NAME])]
        )
        request = (
            x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        )
        pem = request.public_bytes(serialization.Encoding.PEM)
        store.keep(self._thing, "request.pem", pem)
        say("certificate is made from a signing request")
        file = self._file("request.pem")
        self._say_command(
            "create-certificate-from-csr", "--certificate-signing-request", file, "--set-as-active"
        )
        answer = self._iot.create_certificate_from_csr(
            certificateSigningRequest=pem.decode("ascii"), setAsActive=True
        )
        made = str(answer["certificatePem"]).encode("ascii")
        if x509.load_pem_x509_certificate(made).public_key() != key.public_key():
            raise ToolError("the cloud returned a certificate for another key", "provision again")
        store.keep_certificate(self._thing, made)
        return str(answer["certificateArn"])

    def _attach(self, certificate_arn: str) -> None:
        say("policy and thing are attached to the certificate")
        self._say_command(
            "attach-policy", "--policy-name", policy.NAME, "--target", certificate_arn
        )
        self._iot.attach_policy(policyName=policy.NAME, target=certificate_arn)
        self._say_command(
            "attach-thing-principal", "--thing-name", self._thing, "--principal", certificate_arn
        )
        self._iot.attach_thing_principal(thingName=self._thing, principal=certificate_arn)

    def _mention_other_certificates(self, ours: str) -> None:
        attached = self._iot.list_thing_principals(thingName=self._thing)["principals"]
        for other in attached:
            if other != ours:
                say(f"note: {self._thing} has another certificate, {other}; if no device uses it:")
                self._say_command(
                    "update-certificate", "--certificate-id", other.rpartition("/")[2],
                    "--new-status", "INACTIVE",
                )  # fmt: skip

    def _say_policy_command(self, verb: str, *more: str) -> None:
        document = ("--policy-document", self._file("policy.json"))
        self._say_command(verb, "--policy-name", policy.NAME, *document, *more)

    def _file(self, name: str) -> str:
        return f"file://{paths.thing_dir(self._thing) / name}"

    def _say_command(self, verb: str, *arguments: str) -> None:
        say_command([*self._aws_cli(), "iot", verb, *arguments])

    def _aws_cli(self) -> list[str]:
        if self._cloud.kind == "aws":
            profile = ["--profile", self._cloud.profile] if self._cloud.profile else []
            return ["aws", "--region", self._cloud.region, *profile]
        if self._cloud.local_info:
            return ["jobs-sandbox", "aws"]
        return ["aws", "--endpoint-url", str(self._cloud.endpoint_url)]


def _why_remade(trouble: str, before: ThingIdentity | None, cloud: Cloud) -> str:
    text = f"certificate cannot be used: {trouble}; a new one is made for the same key"
    if before is not None and before.cloud != cloud.kind:
        text += f" (the old one was for cloud {before.cloud})"
    return text
