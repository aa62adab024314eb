"""What a command gets to work with: clients, environment and MQTT endpoint of each kind of
cloud."""

from __future__ import annotations

import argparse
from pathlib import Path

import certifi
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from host_tools.cloud import access, local
from host_tools.cloud.info import CloudInfo
from host_tools.cloud.roots import amazon_roots
from host_tools.errors import ToolError, UsageError


def _resolve(*arguments: str) -> access.Cloud:
    parser = argparse.ArgumentParser()
    access.add_cloud_arguments(parser)
    return access.resolve(parser.parse_args(arguments))


def _refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "X")


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any AWS configuration."""
    for name in (
        "PROFILE",
        "REGION",
        "DEFAULT_REGION",
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
    ):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_the_local_cloud_is_the_default(strict_cloud: CloudInfo) -> None:
    cloud = _resolve()
    assert (cloud.kind, cloud.endpoint_url, cloud.region) == (
        "local",
        strict_cloud.endpoint_url,
        "us-east-1",
    )
    assert cloud.client("iot").list_things()["things"] == []
    endpoint = cloud.mqtt()
    assert (endpoint.host, endpoint.port) == ("localhost", strict_cloud.mqtt_port)
    assert endpoint.roots == [("Local Root CA", Path(strict_cloud.ca).read_bytes())]


def test_a_local_cloud_that_does_not_run_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    with pytest.raises(ToolError, match="not running") as error:
        _resolve()
    assert "jobs-sandbox cloud start" in error.value.hint


def test_neither_proxy_nor_profile_of_the_user_matter_locally(
    strict_cloud: CloudInfo, no_aws: pytest.MonkeyPatch
) -> None:
    no_aws.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    no_aws.setenv("http_proxy", "http://127.0.0.1:9")
    no_aws.setenv("AWS_PROFILE", "missing")
    no_aws.setenv("AWS_SESSION_TOKEN", "stale")
    no_aws.setenv("AWS_ENDPOINT_URL_IOT", "http://127.0.0.1:9")
    cloud = _resolve()
    assert "things" in cloud.client("iot").list_things()
    environment = cloud.child_environment()
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_IOT"} & set(environment)
    assert environment["AWS_ENDPOINT_URL"] == strict_cloud.endpoint_url
    assert "127.0.0.1" in environment["NO_PROXY"]
    assert set(cloud.unwanted()) >= {"AWS_ENDPOINT_URL_IOT", "AWS_PROFILE", "AWS_SESSION_TOKEN"}


def test_an_endpoint_elsewhere_uses_test_credentials_or_given_ones(
    strict_cloud: CloudInfo, no_aws: pytest.MonkeyPatch
) -> None:
    cloud = _resolve("--endpoint-url", strict_cloud.endpoint_url, "--region", "eu-west-1")
    assert (cloud.kind, cloud.region) == ("local", "eu-west-1")
    assert cloud.environment()["AWS_ACCESS_KEY_ID"] == "test"
    assert "things" in cloud.client("iot").list_things()
    assert cloud.mqtt() == access.MqttEndpoint(
        "127.0.0.1", 8883, [("Local Root CA", Path(strict_cloud.ca).read_bytes())]
    )
    no_aws.setenv("AWS_ACCESS_KEY_ID", "mine")
    no_aws.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert cloud.environment()["AWS_ACCESS_KEY_ID"] == "mine"


def test_an_endpoint_that_is_no_ministack_is_an_error() -> None:
    with pytest.raises(ToolError, match="no root certificate at http"):
        _resolve("--endpoint-url", "http://127.0.0.1:9").mqtt()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--endpoint-url", "localhost:4566"),
        ("--endpoint-url", "file:///etc/passwd"),
        ("--profile", "x"),
        ("--cloud", "aws", "--endpoint-url", "http://x"),
    ],
)
def test_contradicting_options_are_wrong_usage(arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        _resolve(*arguments)


def test_aws_uses_the_users_configuration(no_aws: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile lab]\nregion = eu-central-1\n")
    (tmp_path / "credentials").write_text(
        "[lab]\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    cloud = _resolve("--cloud", "aws", "--profile", "lab")
    assert (cloud.kind, cloud.endpoint_url, cloud.region) == ("aws", None, "eu-central-1")
    client = cloud.client("iot")
    assert client.meta.endpoint_url == "https://iot.eu-central-1.amazonaws.com"
    assert client.meta.region_name == "eu-central-1"
    assert cloud.environment() == {
        "AWS_DEFAULT_REGION": "eu-central-1", "AWS_REGION": "eu-central-1", "AWS_PROFILE": "lab",
    }  # fmt: skip
    assert cloud.unwanted() == []


def test_aws_finds_the_ats_endpoint_and_the_amazon_roots(
    strict_cloud: CloudInfo, no_aws: pytest.MonkeyPatch
) -> None:
    # boto3's own variable leads the AWS client to something that answers.
    no_aws.setenv("AWS_ENDPOINT_URL", strict_cloud.endpoint_url)
    no_aws.setenv("AWS_ACCESS_KEY_ID", "test")
    no_aws.setenv("AWS_SECRET_ACCESS_KEY", "test")
    endpoint = _resolve("--cloud", "aws", "--region", "eu-west-1").mqtt()
    assert "-ats.iot.eu-west-1." in endpoint.host
    assert endpoint.port == 8883
    assert [name for name, _ in endpoint.roots] == ["Amazon Root CA 1", "Amazon Root CA 3"]


def test_aws_without_region_is_an_error(no_aws: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="no AWS region"):
        _resolve("--cloud", "aws")


def test_an_unknown_profile_is_an_error(no_aws: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="nobody"):
        _resolve("--cloud", "aws", "--profile", "nobody")


def test_aws_without_credentials_is_an_error(no_aws: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="no usable AWS credentials"):
        _resolve("--cloud", "aws", "--region", "eu-west-1").mqtt()


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (NoCredentialsError(), "no usable AWS credentials", "aws configure"),
        (_refused("ExpiredToken", "old"), "X: ExpiredToken: old", "login"),
        (_refused("AccessDenied", "no"), "X: AccessDenied: no", "permission"),
        (ClientError({}, "X"), "X: error", ""),
    ],
)
def test_what_boto3_raises_is_told(error: Exception, message: str, hint: str) -> None:
    with pytest.raises(ToolError, match=message) as told, access.aws_errors():
        raise error
    assert hint in told.value.hint


def test_a_bundle_without_an_amazon_root_is_an_error(tmp_path: Path) -> None:
    names = [name for name, _ in amazon_roots()]
    assert names == ["Amazon Root CA 1", "Amazon Root CA 3"]
    bundle = tmp_path / "bundle.pem"
    whole = Path(certifi.where()).read_text()
    bundle.write_text(whole.replace(amazon_roots()[1][1].decode(), ""))
    with pytest.raises(ToolError, match="does not hold Amazon Root CA 3"):
        amazon_roots(bundle)


def test_aws_is_not_waited_for_long_and_it_is_said_who_is_asked(
    no_aws: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_aws.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    no_aws.setenv("AWS_ACCESS_KEY_ID", "x")
    no_aws.setenv("AWS_SECRET_ACCESS_KEY", "y")
    aws = _resolve("--cloud", "aws", "--region", "eu-west-1")
    elsewhere = _resolve("--endpoint-url", "http://127.0.0.1:8")
    for cloud in (aws, elsewhere, aws):
        config = cloud.client("iot").meta.config
        assert config.connect_timeout <= 5
        assert 1 < config.retries["total_max_attempts"] <= 3, "botocore's own are 5"
    said = capsys.readouterr().err.splitlines()
    assert said == ["asking http://127.0.0.1:9", "asking http://127.0.0.1:8"], "once each"


def test_a_stopped_cloud_makes_clients_fail_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    local.start(http_port=0, mqtt_port=0, bound=True)
    client = _resolve().client("iot")
    local.stop()
    with pytest.raises(ToolError, match="no answer from the cloud"), access.aws_errors():
        client.list_things()
