"""What a provisioned identity may do at the IoT Core, and what it must not; byte by byte."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools import policy
from host_tools.cloud import local
from host_tools.cloud.access import Cloud
from host_tools.identity import ThingIdentity
from host_tools.provision import provision

_CONNACK, _PUBACK, _SUBACK = 0x20, 0x40, 0x90


@pytest.fixture(scope="module")
def identities(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[ThingIdentity, ThingIdentity]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBS_SANDBOX_HOME", str(tmp_path_factory.mktemp("home")))
        running = local.start(bound=True)
        cloud = Cloud("local", running.endpoint_url, running.region, local_info=running)
        yield provision(cloud, "ours"), provision(cloud, "foreign")
        local.stop()


def string(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def packet(kind: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes((kind, len(body))) + body


def exchange(
    made: ThingIdentity, client_id: str, request: bytes | None = None, folder: Path | None = None
) -> int | None:
    """Connect as `client_id`, send `request`, and return the answer's first byte; None: closed."""
    folder = folder or made.folder
    context = ssl.create_default_context(cafile=str(made.folder / "root_ca.pem"))
    context.load_cert_chain(folder / "certificate.pem", folder / "private_key.pem")
    with (
        socket.create_connection((made.endpoint, made.port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=made.endpoint) as tls,
    ):
        connect = string("MQTT") + bytes((4, 2)) + struct.pack(">H", 60) + string(client_id)
        tls.sendall(packet(0x10, connect))
        answer = tls.recv(4)
        if not answer:
            return None
        assert answer == bytes((_CONNACK, 2, 0, 0))
        if request is None:
            return answer[0]
        tls.sendall(request)
        answer = tls.recv(1)
        return answer[0] if answer else None


def subscribe(topic: str) -> bytes:
    return packet(0x82, struct.pack(">H", 1) + string(topic) + b"\x01")


def publish(topic: str) -> bytes:
    return packet(0x32, string(topic) + struct.pack(">H", 1) + b"{}")


def test_thing_connects_as_itself(identities: tuple[ThingIdentity, ThingIdentity]) -> None:
    assert exchange(identities[0], "ours") == _CONNACK


@pytest.mark.parametrize("client_id", ["foreign", "ours-2", "our", "anything"])
def test_no_other_client_id(
    client_id: str, identities: tuple[ThingIdentity, ThingIdentity]
) -> None:
    assert exchange(identities[0], client_id) is None


@pytest.mark.parametrize(
    "topic", ["notify", "notify-next", "get/+", "start-next/+", "+/get/+", "+/update/+"]
)
def test_subscribes_to_its_own_jobs(
    topic: str, identities: tuple[ThingIdentity, ThingIdentity]
) -> None:
    assert exchange(identities[0], "ours", subscribe(f"$aws/things/ours/jobs/{topic}")) == _SUBACK


@pytest.mark.parametrize(
    "topic",
    [
        "$aws/things/foreign/jobs/notify",
        "$aws/things/+/jobs/notify",
        "$aws/things/ours/shadow/update/accepted",
        "$aws/things/ours-2/jobs/notify",
        "#",
        "a",
    ],
)
def test_subscribes_to_nothing_else(
    topic: str, identities: tuple[ThingIdentity, ThingIdentity]
) -> None:
    assert exchange(identities[0], "ours", subscribe(topic)) is None


@pytest.mark.parametrize("topic", ["get", "start-next", "job/get", "$next/get", "job/update"])
def test_publishes_its_own_requests(
    topic: str, identities: tuple[ThingIdentity, ThingIdentity]
) -> None:
    assert exchange(identities[0], "ours", publish(f"$aws/things/ours/jobs/{topic}")) == _PUBACK


@pytest.mark.parametrize(
    "topic",
    [
        "$aws/things/foreign/jobs/get",
        "$aws/things/foreign/jobs/job/update",
        "$aws/things/ours/jobs/notify",
        "$aws/things/ours/shadow/update",
        "a",
    ],
)
def test_publishes_nothing_else(
    topic: str, identities: tuple[ThingIdentity, ThingIdentity]
) -> None:
    assert exchange(identities[0], "ours", publish(topic)) is None


def test_each_identity_is_held_to_its_own_thing(
    identities: tuple[ThingIdentity, ThingIdentity],
) -> None:
    ours, foreign = identities
    assert exchange(ours, "foreign", folder=foreign.folder) == _CONNACK
    assert exchange(ours, "ours", folder=foreign.folder) is None


def test_policy_fits_and_is_partition_aware() -> None:
    found = policy.document("aws-cn", "cn-north-1", "123456789012")
    text = str(found).replace(" ", "")
    assert len(text) <= 2048  # AWS IoT quota "policy document size", without white space
    assert text.count("arn:aws-cn:iot:cn-north-1:123456789012:") == 7
    assert "'*'" not in text
