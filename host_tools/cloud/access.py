"""The cloud a command works with: clients, credentials for child processes, and the MQTT endpoint.

Three kinds, chosen by the options that `add_cloud_arguments` adds:
1. the local IoT Core (default): test credentials, nothing of the user's AWS configuration is read;
2. an endpoint given by URL: taken for a MiniStack elsewhere, with the environment's credentials if
   any;
3. AWS: the user's own credentials, profile and region, found as boto3 finds them.
"""

from __future__ import annotations

import argparse
import functools
import os
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.cloud import local
from host_tools.cloud.aws_errors import aws_errors
from host_tools.cloud.info import CloudInfo
from host_tools.cloud.roots import amazon_roots
from host_tools.errors import ToolError, UsageError
from host_tools.output import say

__all__ = ["Cloud", "MqttEndpoint", "add_cloud_arguments", "aws_errors", "given_words", "resolve"]

_OPTIONS = ("cloud", "endpoint_url", "region", "profile")
_DEFAULT_REGION = "us-east-1"
_TEST_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_MQTT_TLS_PORT = 8883
# Against botocore's 60 s and five attempts: whoever waits is a person. Throttling is tried again.
_IMPATIENT: dict[str, Any] = {
    "connect_timeout": 4,
    "read_timeout": 20,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


@dataclass(frozen=True)
class MqttEndpoint:
    """Where devices connect: host name, port, and the roots they must trust as (name, PEM)."""

    host: str
    port: int
    roots: list[tuple[str, bytes]]


@dataclass(frozen=True)
class Cloud:
    """The cloud in use. `kind` is "local" or "aws"; `endpoint_url` is None for AWS."""

    kind: str
    endpoint_url: str | None
    region: str
    profile: str | None = None
    local_info: CloudInfo | None = None

    def client(self, service: str) -> Any:
        """Return a boto3 client, "iot" for instance. Raises ToolError for an unknown profile."""
        from botocore.config import Config

        if self.kind == "aws":
            import boto3

            with aws_errors():
                session = boto3.Session(profile_name=self.profile, region_name=self.region)
                client = session.client(service, config=Config(**_IMPATIENT))
            _say_once(f"asking {client.meta.endpoint_url}")
            return client

        credentials = self._credentials()
        if self.local_info:
            # No proxy reaches this machine's loopback; what does not answer at once is not there.
            config = Config(proxies={}, retries={"total_max_attempts": 1})
        else:
            config = Config(**_IMPATIENT)
            _say_once(f"asking {self.endpoint_url}")
        return _session_without_configuration().client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            config=config,
        )

    def environment(self) -> dict[str, str]:
        """Return the AWS_* variables that make an AWS tool use this cloud; see also `unwanted`."""
        region = {"AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}
        if self.kind == "aws":
            return region | ({"AWS_PROFILE": self.profile} if self.profile else {})
        files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        quiet = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
        return (
            {"AWS_ENDPOINT_URL": self.endpoint_url or ""}
            | self._credentials()
            | region
            | files
            | quiet
        )

    def unwanted(self) -> list[str]:
        """Return the AWS_* variables now set that would lead an AWS tool elsewhere."""
        if self.kind == "aws":
            return []
        return sorted(
            name
            for name in os.environ
            if name.startswith("AWS_") and name not in self.environment()
        )

    def child_environment(self) -> dict[str, str]:
        """Return the whole environment for a child process that uses this cloud."""
        dropped = self.unwanted()
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        if self.local_info:  # a proxy cannot reach this machine's loopback
            direct = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]))
            kept |= {"NO_PROXY": direct, "no_proxy": direct}
        return kept | self.environment()

    def mqtt(self) -> MqttEndpoint:
        """Find where devices connect; asks AWS, or the given endpoint. Raises ToolError."""
        if self.local_info:
            pem = Path(self.local_info.ca).read_bytes()
            return MqttEndpoint(
                self.local_info.mqtt_host, self.local_info.mqtt_port, [("Local Root CA", pem)]
            )
        if self.kind == "aws":
            with aws_errors():
                answer = self.client("iot").describe_endpoint(endpointType="iot:Data-ATS")
            return MqttEndpoint(str(answer["endpointAddress"]), _MQTT_TLS_PORT, amazon_roots())
        host = urllib.parse.urlsplit(self.endpoint_url or "").hostname or "localhost"
        return MqttEndpoint(host, _MQTT_TLS_PORT, [("Local Root CA", self._fetch_root())])

    def _credentials(self) -> dict[str, str]:
        own = {
            name: os.environ[name]
            for name in (*_TEST_CREDENTIALS, "AWS_SESSION_TOKEN")
            if name in os.environ
        }
        return (
            own
            if self.local_info is None and len(own) >= len(_TEST_CREDENTIALS)
            else dict(_TEST_CREDENTIALS)
        )

    def _fetch_root(self) -> bytes:
        url = f"{(self.endpoint_url or '').rstrip('/')}/_ministack/iot/ca.pem"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (the scheme was checked)
                return bytes(answer.read())
        except OSError as error:
            raise ToolError(
                f"no root certificate at {url} ({error})",
                "an --endpoint-url of a MiniStack, or none for the local one",
            ) from error


def add_cloud_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a cloud; `resolve` reads them."""
    group = parser.add_argument_group("cloud")
    group.add_argument("--cloud", choices=("local", "aws"), default="local", help="default: local")
    group.add_argument("--endpoint-url", metavar="URL", help="a MiniStack that runs elsewhere")
    group.add_argument(
        "--region", help="AWS region; default: the local one, or your AWS configuration's"
    )
    group.add_argument("--profile", help="profile of your AWS configuration, with --cloud aws")


def given_words(args: argparse.Namespace) -> list[str]:
    """Return the options that chose the cloud on this command line, for a hint to repeat them."""
    names = [name for name in _OPTIONS if name in args.given]
    words = [(f"--{name.replace('_', '-')}", str(getattr(args, name))) for name in names]
    return [word for pair in words for word in pair]


def resolve(args: argparse.Namespace) -> Cloud:
    """Return the cloud the options ask for. Starts nothing and connects to nothing.

    Raises UsageError for options that contradict, ToolError if the local one does not run or no
    AWS region is known.
    """
    if args.cloud == "aws":
        return _aws(args)
    if args.profile:
        raise UsageError("--profile needs --cloud aws", "--cloud aws --profile " + args.profile)
    if args.endpoint_url:
        if urllib.parse.urlsplit(args.endpoint_url).scheme not in ("http", "https"):
            raise UsageError(
                f"--endpoint-url {args.endpoint_url} is not an http or https URL",
                "http://HOST:4566",
            )
        region = (
            args.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        )
        return Cloud("local", args.endpoint_url, region or _DEFAULT_REGION)
    running = local.status()
    if running is None:
        raise ToolError(
            "the local IoT Core is not running", "`jobs-sandbox cloud start`, or --cloud aws"
        )
    return Cloud("local", running.endpoint_url, args.region or running.region, local_info=running)


def _aws(args: argparse.Namespace) -> Cloud:
    if args.endpoint_url:
        raise UsageError("--endpoint-url and --cloud aws exclude each other", "one of the two")
    import boto3

    with aws_errors():
        region = args.region or boto3.Session(profile_name=args.profile).region_name
    region = region or os.environ.get("AWS_REGION")  # known to other SDKs, not to boto3
    if not region:
        raise ToolError(
            "no AWS region is configured", "--region eu-west-1, or AWS_REGION, or `aws configure`"
        )
    return Cloud("aws", None, region, profile=args.profile)


@functools.cache
def _say_once(text: str) -> None:
    say(text)


@functools.cache
def _session_without_configuration() -> Any:
    # Neither files nor AWS_PROFILE: a broken profile must not break the local cloud.
    import boto3
    import botocore.session

    nowhere = (None, None, os.devnull, None)  # name in the file, variable, default, conversion
    unset = {"profile": (None, None, None, None)}
    files = {"config_file": nowhere, "credentials_file": nowhere}
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=unset | files))
