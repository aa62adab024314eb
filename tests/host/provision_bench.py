"""What tests of provisioning share: users with few permissions, and a watch on the calls made."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import EndpointConnectionError

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
