"""`jobs-sandbox sandbox`: the sample's way of running, with the sample's policy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from host_tools import deployed, paths
from host_tools.board import list_boards
from host_tools.cloud import access
from host_tools.cloud.info import CloudInfo

COMMAND = [sys.executable, "-m", "host_tools", "sandbox"]
PEM, DER = Encoding.PEM, Encoding.DER
PENDING_NONE = re.compile(
    r'get-pending-job-executions result: \{"inProgressJobs":\[\],"queuedJobs":\[\],'
    r'"timestamp":\d+,"clientToken":"[0-9a-f-]{36}"\}'
)


@dataclass(frozen=True)
class Owner:
    """A thing that was made elsewhere, as by the AWS console: its files, and its cloud."""

    thing: str
    certificate: Path
    key: Path
    cloud: CloudInfo
    iot: Any

    def words(self, **changes: str) -> list[str]:
        options = {
            "endpoint": f"localhost:{self.cloud.mqtt_port}",
            "cert": str(self.certificate),
            "key": str(self.key),
            "thing-name": self.thing,
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def run(self, *, script: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *self.words(**changes)],
            cwd=paths.ROOT,
            input=script,
            capture_output=True,
            text=True,
            timeout=90,
        )


def sample_policy(thing: str) -> dict[str, Any]:
    """The policy in the sample's README, which lets client ids connect that begin with `test-`."""
    arn = "arn:aws:iot:us-east-1:000000000000"
    jobs = f"$aws/things/{thing}/jobs"
    requests = ("start-next", "*/update", "*/get", "get")
    streams = ("notify", "notify-next", "start-next/*", "*/update/*", "get/*", "*/get/*")

    def statement(action: str, kind: str, names: tuple[str, ...]) -> dict[str, Any]:
        resources = [f"{arn}:{kind}/{jobs}/{name}" for name in names]
        return {"Effect": "Allow", "Action": f"iot:{action}", "Resource": resources}

    return {
        "Version": "2012-10-17",
        "Statement": [
            statement("Publish", "topic", requests),
            statement("Receive", "topic", streams),
            statement("Subscribe", "topicfilter", streams),
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{arn}:client/test-*"},
        ],
    }


@pytest.fixture
def make_owner(
    local_cloud: access.Cloud, cloud: CloudInfo, tmp_path: Path
) -> Callable[..., Owner]:
    """Makes things with the sample's policy; `key`, and the form its files have."""

    def make(thing: str, key: Any, encoding: Encoding, form: PrivateFormat) -> Owner:
        iot = local_cloud.client("iot")
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        made = iot.create_certificate_from_csr(
            certificateSigningRequest=request.sign(key, hashes.SHA256())
            .public_bytes(PEM)
            .decode(),
            setAsActive=True,
        )
        iot.create_thing(thingName=thing)
        iot.create_policy(policyName=thing, policyDocument=json.dumps(sample_policy(thing)))
        iot.attach_policy(policyName=thing, target=made["certificateArn"])
        iot.attach_thing_principal(thingName=thing, principal=made["certificateArn"])
        certificate = x509.load_pem_x509_certificate(made["certificatePem"].encode())
        files = tmp_path / "device.crt", tmp_path / "device.key"
        files[0].write_bytes(certificate.public_bytes(encoding))
        files[1].write_bytes(key.private_bytes(encoding, form, NoEncryption()))
        return Owner(thing, *files, cloud, iot)

    return make


@pytest.fixture
def owner(make_owner: Callable[..., Owner], request: pytest.FixtureRequest) -> Owner:
    """A thing with an EC key in PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    return make_owner(f"{request.node.name}", key, PEM, PrivateFormat.PKCS8)


@pytest.fixture(autouse=True)
def nothing_is_left(sandbox_home: Path) -> Iterator[None]:
    yield
    assert [info.name for info in list_boards() if info.name.startswith("sample")] == []
    assert list((sandbox_home / "boards").glob("sample*")) == []
    assert [board for board in deployed.things() if board.startswith("sample")] == []


def test_sample_runs_by_hand(owner: Owner) -> None:
    owner.iot.create_job(
        jobId="SampleJob",
        targets=[f"arn:aws:iot:us-east-1:000000000000:thing/{owner.thing}"],
        document='{"Todo":"Reboot"}',
    )
    script = (
        "status\nstart-next-pending-job-execution\nupdate-job-execution SampleJob SUCCEEDED\n"
        "get-pending-job-executions\n"
    )
    done = owner.run(script=script)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"thing: {owner.thing}, client id test-[0-9a-f-]{{36}}\n", done.stdout)
    assert "executor: off\n" in done.stdout
    assert '"jobDocument":{"Todo":"Reboot"},"status":"IN_PROGRESS"' in done.stdout
    assert "update-job-execution result: {" in done.stdout
    assert PENDING_NONE.search(done.stdout)
    answer = owner.iot.describe_job_execution(jobId="SampleJob", thingName=owner.thing)
    assert answer["execution"]["status"] == "SUCCEEDED"


@pytest.mark.parametrize("encoding", [PEM, DER], ids=["pem", "der"])
def test_rsa_key_of_the_old_form(make_owner: Callable[..., Owner], encoding: Encoding) -> None:
    key = rsa.generate_private_key(65537, 2048)
    form = PrivateFormat.TraditionalOpenSSL
    owner = make_owner("rsa-pem" if encoding is PEM else "rsa-der", key, encoding, form)
    done = owner.run(script="get-pending-job-executions\n", client_id="test-rsa")
    assert PENDING_NONE.match(done.stdout), done.stderr
    assert done.returncode == 0


def test_status_of_the_first_command_that_failed(owner: Owner) -> None:
    done = owner.run(script="describe-job-execution none\nnonsense\n", ca=owner.cloud.ca)
    assert "describe-job-execution rejected: ResourceNotFound" in done.stdout
    assert done.returncode == 1


def test_client_id_that_the_policy_forbids(owner: Owner) -> None:
    done = owner.run(client_id="mine", wait_s="10")
    assert done.returncode == 1
    assert "link: MQTT_CLOSED_AT_CONNECT" in done.stderr
    assert "did not connect within 10 s" in done.stderr
    assert "  try: allow iot:Connect for this client id" in done.stderr


def test_root_of_another_cloud(owner: Owner, tmp_path: Path) -> None:
    done = owner.run(ca=str(amazon_root(tmp_path)), wait_s="10")
    assert done.returncode == 1
    assert "link: TLS_WRONG_CA" in done.stderr


def test_key_of_another_certificate_is_refused_at_once(owner: Owner) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    owner.key.write_bytes(other.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption()))
    done = owner.run()
    assert done.returncode == 1
    assert "does not belong to the certificate" in done.stderr


def test_wrong_use(owner: Owner) -> None:
    assert owner.run(endpoint="https://localhost").returncode == 2
    assert owner.run(thing_name="a b").returncode == 2
    missing = subprocess.run(
        [*COMMAND, "--endpoint", "localhost"], cwd=paths.ROOT, capture_output=True, text=True
    )
    assert missing.returncode == 2
    assert "--cert" in missing.stderr


def test_console_follows_on_a_terminal(owner: Owner) -> None:
    leave_console(owner, "\x04", "left; the board is switched off")


def test_quit_in_its_console_tells_that_the_board_is_off(owner: Owner) -> None:
    told = "the sandbox on the board has ended; the board is switched off"
    leave_console(owner, "quit\r", told)


def leave_console(owner: Owner, keys: str, told: str) -> None:
    console = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *owner.words()],
        cwd=str(paths.ROOT),
        encoding="utf-8",
        timeout=30,
        dimensions=(30, 200),
    )
    console.expect(f"{owner.thing}>")
    console.send("get-pending-job-executions\r")
    console.expect("get-pending-job-executions result: ")
    console.expect(f"{owner.thing}>")
    console.send(keys)
    console.expect(told)
    console.expect(pexpect.EOF)
    console.close()
    assert console.exitstatus == 0


def amazon_root(folder: Path) -> Path:
    from host_tools.cloud.roots import amazon_roots

    path = folder / "amazon.pem"
    path.write_bytes(amazon_roots()[0][1])
    return path
