"""A private local IoT Core for tests, to be imported by a conftest.py.

It lives in a temporary JOBS_SANDBOX_HOME, on free loopback ports, and ends with the test process
even if that is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools.cloud import access, local
from host_tools.cloud.info import CloudInfo
from tests.mqtt_wire import Device

ANY_PORT = 0
ALLOW_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}],
}


@pytest.fixture(scope="session")
def sandbox_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of this test run, in JOBS_SANDBOX_HOME."""
    folder = tmp_path_factory.mktemp("sandbox")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "JOBS_SANDBOX_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def cloud(sandbox_home: Path) -> Iterator[CloudInfo]:
    """A local IoT Core that runs for the whole test session."""
    running = local.start(http_port=ANY_PORT, mqtt_port=ANY_PORT, bound=True)
    try:
        yield running
    finally:
        local.stop()


@pytest.fixture(autouse=True)
def nobody_was_asked() -> None:
    """A process says once whom it asks; each test is a process of its own in this."""
    access._say_once.cache_clear()


class Registry:
    """The control plane of a running local IoT Core, as far as tests need it."""

    def __init__(self, running: CloudInfo, folder: Path) -> None:
        self.running = running
        self.folder = folder
        self.iot: Any = access.Cloud(
            "local", running.endpoint_url, running.region, local_info=running
        ).client("iot")

    def device(self, name: str, policy: dict[str, Any] | None = None) -> Device:
        """Make a thing with a certificate, and a policy that allows everything or is given."""
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        signed = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        made = self.iot.create_certificate_from_csr(
            certificateSigningRequest=signed.decode(), setAsActive=True
        )
        self.iot.create_thing(thingName=name)
        self.iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])
        self.iot.create_policy(policyName=name, policyDocument=json.dumps(policy or ALLOW_ALL))
        self.iot.attach_policy(policyName=name, target=made["certificateArn"])
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_text(made["certificatePem"])
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Device(
            name, *files, made["certificateId"], made["certificateArn"],
            Path(self.running.ca), self.running.mqtt_port,
        )  # fmt: skip

    def job(self, job: str, *things: str, **options: Any) -> None:
        """Make a job for things."""
        account = f"arn:aws:iot:{self.running.region}:{self.running.account}"
        self.iot.create_job(
            jobId=job,
            targets=[f"{account}:thing/{thing}" for thing in things],
            document='{"operation": "none"}',
            **options,
        )


@contextlib.contextmanager
def own_cloud(
    folders: pytest.TempPathFactory,
    minute_s: float | None = None,
    keepalive_min_s: float | None = None,
) -> Iterator[CloudInfo]:
    """A local IoT Core in a state folder of its own; its settings as `local.start` has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBS_SANDBOX_HOME", str(folders.mktemp("home")))
        try:
            yield local.start(
                http_port=ANY_PORT,
                mqtt_port=ANY_PORT,
                bound=True,
                minute_s=minute_s,
                keepalive_min_s=keepalive_min_s,
            )
        finally:
            local.stop()


@pytest.fixture(scope="module")
def strict_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudInfo]:
    """A local IoT Core of one test module, whose minutes and keep-alives last a second at most."""
    with own_cloud(tmp_path_factory, minute_s=0.4, keepalive_min_s=0.5) as running:
        yield running


@pytest.fixture(scope="module")
def private_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[access.Cloud]:
    """A local IoT Core of one test module as the commands see it, in a state folder of its own."""
    with own_cloud(tmp_path_factory) as running:
        yield access.Cloud("local", running.endpoint_url, running.region, local_info=running)


@pytest.fixture(scope="module")
def registry(strict_cloud: CloudInfo, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The control plane of the module's local IoT Core."""
    return Registry(strict_cloud, tmp_path_factory.mktemp("devices"))


@pytest.fixture(scope="module")
def trusted(registry: Registry) -> Device:
    """A thing that may do anything."""
    return registry.device("trusted")


@pytest.fixture(scope="module")
def witness(registry: Registry) -> Device:
    """Another thing that may do anything."""
    return registry.device("witness")


@pytest.fixture(scope="module")
def strict_http_port(strict_cloud: CloudInfo) -> int:
    """The HTTP port of the module's local IoT Core."""
    return int(strict_cloud.endpoint_url.rpartition(":")[2])
