"""What AWS refuses, and how: each is told with its cause and the next step, without a traceback.

The answers come from botocore's Stubber: a local IoT Core does not throttle and its tokens do not
expire.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions
from botocore.stub import Stubber

from host_tools.__main__ import main
from host_tools.cloud import access
from host_tools.cloud.access import Cloud

_STS = {"Account": "123456789012", "Arn": "arn:aws-cn:iam::123456789012:user/me", "UserId": "x"}


_CHINA = Cloud("aws", None, "cn-north-1")


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Clients of AWS in China."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        return {name: _CHINA.client(name) for name in ("iot", "sts")}


@pytest.fixture
def aws(
    clients: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Stubber]]:
    """The clients, each with a script."""
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    monkeypatch.setattr(Cloud, "client", lambda _self, service: clients[service])
    monkeypatch.setattr(access, "resolve", lambda _args: _CHINA)
    stubs = {name: Stubber(client) for name, client in clients.items()}
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.deactivate()


_DENIED = (
    "User: arn:aws-cn:iam::123456789012:user/me is not authorized to perform: iot:CreateThing"
)


@pytest.mark.parametrize(
    ("code", "message", "fix"),
    [
        ("ThrottlingException", "Rate exceeded", "in a minute; it goes on where it stopped"),
        ("AccessDeniedException", _DENIED, "ask for permission iot:CreateThing"),
        ("UnauthorizedException", "no", "ask for permission iot:CreateThing"),
        ("ResourceAlreadyExistsException", "exists with others", "the same command again"),
        ("ExpiredTokenException", "The security token is expired", "aws sso login"),
        ("UnrecognizedClientException", "token is invalid", "aws configure"),
        ("InvalidSignatureException", "Signature expired", "clock"),
        ("ServiceUnavailableException", "down", "in a minute"),
        ("InternalFailureException", "sorry", "in a minute"),
        ("LimitExceededException", "too many things", "quota"),
    ],
)
def test_a_refusal_is_told_with_the_next_step_and_the_next_run_goes_on(
    code: str,
    message: str,
    fix: str,
    aws: dict[str, Stubber],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws["sts"].add_response("get_caller_identity", _STS)
    aws["iot"].add_client_error("describe_thing", "ResourceNotFoundException")
    aws["iot"].add_client_error("create_thing", code, message)
    assert main(["provision", "thing"]) == 1
    said = capsys.readouterr().err
    assert f"jobs-sandbox: CreateThing: {code}: {message}\n  try: " in said
    assert fix in said.splitlines()[-1]
    assert "Traceback" not in said
    assert not list(tmp_path.rglob("*.pem"))
    aws["iot"].assert_no_pending_responses()


@pytest.mark.parametrize(
    ("error", "cause", "fix"),
    [
        (
            exceptions.EndpointConnectionError(endpoint_url="https://iot.cn"),
            "no answer from the cloud: Could not connect",
            "your network",
        ),
        (
            exceptions.ConnectTimeoutError(endpoint_url="https://iot.cn"),
            "no answer from the cloud",
            "your network",
        ),
        (
            exceptions.ProxyConnectionError(proxy_url="http://proxy"),
            "no answer from the cloud",
            "your network",
        ),
        (
            exceptions.UnauthorizedSSOTokenError(),
            "no AWS credentials: The SSO session associated with this profile has expired",
            "aws sso login",
        ),
        (
            exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired"),
            "Token has expired",
            "aws sso login",
        ),
        (exceptions.NoCredentialsError(), "no usable AWS credentials", "aws configure"),
    ],
)
def test_no_network_and_no_token_are_told(
    error: Exception,
    cause: str,
    fix: str,
    aws: dict[str, Stubber],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(**_parameters: Any) -> None:
        raise error

    aws["sts"].add_response("get_caller_identity", _STS)
    monkeypatch.setattr(aws["iot"].client, "describe_thing", fail)
    assert main(["provision", "thing"]) == 1
    message, hint = capsys.readouterr().err.strip().splitlines()
    assert cause in message
    assert fix in hint


def test_arns_are_those_of_the_partition(
    aws: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    aws["sts"].add_response("get_caller_identity", _STS)
    aws["iot"].add_client_error("describe_thing", "ResourceNotFoundException")
    aws["iot"].add_client_error("get_policy", "ResourceNotFoundException")
    aws["iot"].add_response("list_thing_principals", {"principals": []})
    assert main(["provision", "thing", "--dry-run"]) == 0
    planned = capsys.readouterr().out
    assert "arn:aws-cn:iot:cn-north-1:123456789012:client/" in planned
    assert "arn:aws:" not in planned
    assert planned.splitlines()[0].startswith("aws --region cn-north-1 iot create-thing ")
