"""Certificates that were asked for, and whose answer was lost: made, perhaps, and known to nobody.

request.pem lies beside the key while one is asked for. If it is still there when the next run
begins, the certificates made since are looked through for the key's.
"""

from __future__ import annotations

import datetime
from typing import Any

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_tools import identity as store
from host_tools import paths
from host_tools.cloud.aws_errors import is_denied
from host_tools.output import say
from host_tools.provision import record
from host_tools.provision.calls import Calls

_REQUEST = "request.pem"
_NEWEST = 250  # certificates that are looked at; a page of AWS's
_SKEW = datetime.timedelta(hours=1)  # between this computer's clock and the cloud's
_MAYBE_DONE = 500  # from this HTTP status on, the cloud may have done what it was asked


def ask(calls: Calls, thing: str, request: bytes) -> Any:
    """Ask for a certificate; return the answer. After a refusal nothing is left to look for."""
    store.keep(thing, _REQUEST, request)
    try:
        return calls.change(
            "create_certificate_from_csr",
            {"certificateSigningRequest": str(paths.thing_folder(thing) / _REQUEST)},
            certificateSigningRequest=request.decode("ascii"),
            setAsActive=True,
        )
    except ClientError as error:
        if error.response["ResponseMetadata"].get("HTTPStatusCode", 0) < _MAYBE_DONE:
            answered(thing)
        raise


def answered(thing: str) -> None:
    """Note that the answer is there, and kept."""
    (paths.thing_folder(thing) / _REQUEST).unlink(missing_ok=True)


def find(calls: Calls, thing: str) -> bytes | None:
    """Record the certificates that were made without an answer, for teardown; boto3 repeats what
    got none, so there may be several. Return the PEM of one that is ACTIVE.
    """
    request, key = paths.thing_folder(thing) / _REQUEST, store.private_key(thing)
    if key is None or not request.is_file():
        return None
    say("an answer was lost: was the certificate made?")
    since = datetime.datetime.fromtimestamp(request.stat().st_mtime, datetime.UTC) - _SKEW
    usable = None
    for each in _newest(calls):
        if each["creationDate"] < since:
            continue
        described = calls.find("describe_certificate", certificateId=each["certificateId"])
        pem = str(described["certificateDescription"]["certificatePem"]).encode("ascii")
        if _public(x509.load_pem_x509_certificate(pem)) == _public(key):
            say(f"  it was: {each['certificateArn']}")
            record.add(thing, record.CERTIFICATE, str(each["certificateArn"]))
            usable = usable or (pem if each["status"] == "ACTIVE" else None)
    return usable


def _newest(calls: Calls) -> list[Any]:
    only = {"MaxItems": _NEWEST, "PageSize": _NEWEST}
    try:
        return calls.every(
            "list_certificates", "certificates", PaginationConfig=only, ascendingOrder=False
        )
    except ClientError as error:
        if not is_denied(error):
            raise
        say("  iot:ListCertificates is not allowed here: one may stay, attached to nothing")
        return []


def _public(holder: Any) -> bytes:
    # of a key, or of a certificate
    found: bytes = holder.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found
