"""What tests of provisioning share: users with few permissions, and a watch on the calls made."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import EndpointConnectionError

from host_tools import paths
from host_tools.cloud.access import Cloud
from host_tools.provision.calls import Calls


class _Root(NamedTuple):
    folder: Path
    python: str


ROOT = _Root(Path(__file__).parents[2], sys.executable)


def user(cloud: Cloud, name: str, actions: list[str]) -> dict[str, str]:
    """Make an IAM user who may do `actions` only, and return the credentials as environment."""
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return user_with(cloud, name, {"Version": "2012-10-17", "Statement": [allowed]})


def user_with(cloud: Cloud, name: str, document: dict[str, Any]) -> dict[str, str]:
    """Make an IAM user with a policy, and return the credentials as environment."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def empty(cloud: Cloud) -> None:
    """Remove all things, certificates and policies of a cloud, and what is known of them here."""
    iot = cloud.client("iot")
    for thing in [each["thingName"] for each in iot.list_things()["things"]]:
        for principal in iot.list_thing_principals(thingName=thing)["principals"]:
            iot.detach_thing_principal(thingName=thing, principal=principal)
        iot.delete_thing(thingName=thing)
    for each in iot.list_certificates(pageSize=250)["certificates"]:
        iot.update_certificate(certificateId=each["certificateId"], newStatus="INACTIVE")
        iot.delete_certificate(certificateId=each["certificateId"], forceDelete=True)
    for name in [each["policyName"] for each in iot.list_policies()["policies"]]:
        for version in iot.list_policy_versions(policyName=name)["policyVersions"]:
            if not version["isDefaultVersion"]:
                iot.delete_policy_version(policyName=name, policyVersionId=version["versionId"])
        iot.delete_policy(policyName=name)
    for folder in ("things", "batches"):
        shutil.rmtree(paths.home() / folder, ignore_errors=True)
    (paths.home() / "policy.json").unlink(missing_ok=True)


@contextlib.contextmanager
def counted(fail_at: int | None = None) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Collect the changing calls that are made, as (operation, parameters).

    The one with the number `fail_at` fails after it reached the cloud: the worst case, its effect
    is there and nobody knows.
    """
    made: list[tuple[str, dict[str, Any]]] = []
    real = Calls.repeat

    def repeat(self: Calls, method: str, **parameters: Any) -> Any:
        answer = real(self, method, **parameters)
        made.append((self._iot.meta.method_to_api_mapping[method], parameters))
        if len(made) - 1 == fail_at:
            raise EndpointConnectionError(endpoint_url="https://cut")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Calls, "repeat", repeat)
        yield made
