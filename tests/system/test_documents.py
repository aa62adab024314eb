"""Documents of every form, run as jobs by the real firmware: what is in docs/jobs/examples, what
AWS's managed templates make, what is cancelled in the middle, what is as large as allowed.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from host_tools import boards
from host_tools.board import faults
from host_tools.board.edges import set_input
from host_tools.job_documents import check
from host_tools.paths import ROOT
from tests.board_fixture import eventually
from tests.device_fixture import Device

EXAMPLES = ROOT / "docs" / "jobs" / "examples"
LED, RELAY, PIXEL = 2, 4, 18
CONTENT = b"abc"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SIZE, ALONE = 30_000, 2_000  # with 20 steps, with one; docs/jobs promises it


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))


def of(device: Device, gpio: int) -> list[Any]:
    return [edge["value"] for edge in device.board.edges() if edge["pin"] == gpio]


def command(*words: str) -> dict[str, Any]:
    text = ",".join(words)
    return {"action": {"name": "x", "type": "runCommand", "input": {"command": text}}}


def client(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": "1.0", "steps": list(steps), **more}


@pytest.fixture
def bucket(device: Device) -> str:
    """The URL, presigned, of an object in the local cloud's S3."""
    s3 = device.cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="settings.bin", Body=CONTENT)
    url = s3.generate_presigned_url("get_object", {"Bucket": "files", "Key": "settings.bin"})
    return str(url).replace("127.0.0.1", "localhost")


def test_every_example_runs(device: Device, bucket: str) -> None:
    set_input(device.board.files, "adc34", 1.2)
    outcomes = {}
    for path in sorted(EXAMPLES.glob("*.json"), key=lambda path: path.stem == "delete-file"):
        document = json.loads(path.read_text("utf-8"))
        if path.stem == "aws-install-application":
            assert check(document, boards.load("virtual"))
            continue
        assert check(document, boards.load("virtual")) is None, path
        text = json.dumps(document)
        for placeholder in (
            "${aws:iot:s3-presigned-url:https://s3.us-east-1.amazonaws.com/my-bucket/settings.bin}",
            "https://example.com/settings.bin",
        ):
            text = text.replace(placeholder, bucket)
        outcomes[path.stem] = device.run_job(text)
    wrong = {name: found for name, found in outcomes.items() if found[0] != "SUCCEEDED"}
    assert not wrong, f"{wrong}\n{device.log()}"
    assert outcomes["adc-read"][1]["mv"] == "1200"
    assert outcomes["gpio-read"][1]["state"] == "off"
    assert outcomes["download-file"][1] | {"duration_ms": ""} == {
        "path": "/files/settings.bin",
        "bytes": "3",
        "sha256": SHA256,
        "operation": "download-file",
        "code": "OK",
        "duration_ms": "",
    }
    assert "delete-file: NO_FILE" in outcomes["device-client"][1]["stdout"]
    assert "report: " in outcomes["device-client"][1]["stdout"]
    assert of(device, LED).count(1) >= 5
    assert "rgb" in of(device, PIXEL)


def test_the_managed_templates_of_no_micro_controller_are_rejected(device: Device) -> None:
    for what, handler in (
        ("packages", "install-packages.sh"),
        ("packages", "remove-packages.sh"),
        ("services", "start-services.sh"),
        ("services", "stop-services.sh"),
        ("services", "restart-services.sh"),
    ):
        action = {
            "name": "x",
            "type": "runHandler",
            "input": {"handler": handler, "args": ["a b"]},
        }
        status, details = device.run_job(client({"action": action}))
        assert (status, details["code"]) == ("REJECTED", "UNSUPPORTED")
        assert what in details["reason"]


def test_what_a_placeholder_of_the_service_becomes_is_downloaded(device: Device) -> None:
    # The service itself signs the URL, when the board gets the job
    s3, iam = device.cloud.client("s3"), device.cloud.client("iam")
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="f", Body=CONTENT)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "iot.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
    role = iam.create_role(RoleName="signer", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName="signer", PolicyName="get", PolicyDocument=json.dumps(allow))
    url = "${aws:iot:s3-presigned-url:https://s3.us-east-1.amazonaws.com/signed/f}"
    document = {"operation": "download-file", "url": url, "path": "/files/f", "sha256": SHA256}
    config = {"roleArn": role["Arn"], "expiresInSec": 60}
    ended = device.ended(device.create_job(document, presignedUrlConfig=config))
    assert ended["status"] == "SUCCEEDED", ended


def test_a_download_that_is_not_what_it_should_be_leaves_nothing(
    device: Device, bucket: str
) -> None:
    def run(**changes: Any) -> tuple[str, str]:
        document = {"operation": "download-file", "url": bucket, "path": "/files/f", **changes}
        status, details = device.run_job(document)
        assert "Signature" not in details["reason"], "a presigned URL is a secret"
        return status, details["code"]

    assert run(sha256="0" * 64) == ("FAILED", "HASH_MISMATCH")
    assert run(url=bucket.replace("settings", "nothing")) == ("FAILED", "HTTP_ERROR")
    assert run(max_bytes=2) == ("FAILED", "FILE_TOO_LARGE")
    assert run(url="http://127.0.0.1:1/f") == ("FAILED", "INSECURE_URL")
    assert run(url="http://localhost:1/f") == ("FAILED", "DOWNLOAD_FAILED")
    s3 = device.cloud.client("s3")
    s3.put_object(Bucket="files", Key="settings.bin", Body=b"x" * 65_537)
    assert run() == ("FAILED", "FILE_TOO_LARGE")
    device.close()
    assert device.board.run("import os; print(os.listdir('/files'))") == "[]"


def test_a_presigned_url_may_be_long(device: Device, bucket: str) -> None:
    # With the token of a role's session AWS's have over 1 KB; 2048 is the most that is allowed
    url = f"{bucket}&x-pad="
    url += "y" * (2048 - len(url))
    inputs = {"handler": "download-file.sh", "args": [url, "/files/f"], "path": "default"}
    action = {"name": "Download-File", "type": "runHandler", "input": inputs, "runAsUser": ""}
    for document in (
        {"operation": "download-file", "url": url, "path": "/files/f", "sha256": SHA256},
        client({"action": action}),
        client(command("download-file", url, "/files/f", SHA256), includeStdOut=True),
        {"operation": "download-file.sh", "args": [url, "/files/f", SHA256]},
    ):
        status, details = device.run_job(document)
        assert status == "SUCCEEDED", (details, device.log())
        assert SHA256 in (details.get("sha256") or details["stdout"])


def test_a_download_that_is_cancelled_in_its_middle_leaves_nothing(device: Device) -> None:
    asked, going_on = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2000")
            self.end_headers()
            self.wfile.write(b"x" * 1000)
            asked.set()
            going_on.wait()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://localhost:{server.server_address[1]}/f"
        document = {"operation": "download-file", "url": url, "path": "/files/f"}
        cancelled_in_the_middle(device, document, asked.is_set)
        going_on.set()
        server.shutdown()
    assert device.run_job({"operation": "report"})[0] == "SUCCEEDED"
    device.close()
    assert device.board.run("import os; print(os.listdir('/files'))") == "[]"


def cancelled_in_the_middle(device: Device, document: Any, begun: Callable[[], Any]) -> str:
    job_id = device.create_job(document)
    eventually(begun)
    device.iot.cancel_job_execution(jobId=job_id, thingName=device.thing, force=True)
    device.expect(f"{job_id} dropped: ")
    assert device.execution(job_id)["status"] == "CANCELED"
    return job_id


def test_each_long_operation_stops_safely_when_it_is_cancelled(device: Device) -> None:
    gpio = {"operation": "gpio", "pin": "led"}
    boots = device.board.boot
    working = lambda: device.has(" started")  # noqa: E731  an event may be shown behind it
    for document, begun in (
        ({**gpio, "action": "pulse", "on_ms": 10_000}, lambda: of(device, LED)[-1:] == [1]),
        ({**gpio, "action": "blink", "count": 100}, lambda: len(of(device, LED)) > 4),
        (
            {"operation": "pwm", "pin": "relay", "duty_percent": 50, "seconds": 60},
            lambda: "pwm" in of(device, RELAY),
        ),
        ({"operation": "identify", "seconds": 60}, lambda: of(device, LED)[-1:] == [1]),
        ({"operation": "wait", "seconds": 600}, working),
        ({"operation": "reboot", "delay_s": 60}, working),
        ({"steps": [{**gpio, "action": "off"}, {"operation": "wait", "seconds": 60}]}, working),
    ):
        cancelled_in_the_middle(device, document, begun)
        assert of(device, LED)[-1] == 0, document
    assert of(device, RELAY)[-1] == 0
    assert device.board.boot == boots, "the reboot was cancelled"
    assert device.run_job({**gpio, "action": "on"})[0] == "SUCCEEDED"


def test_a_long_job_reports_how_far_it_is(device: Device) -> None:
    steps = [
        {"operation": "wait", "seconds": 7},
        {"operation": "gpio", "pin": "led", "action": "on"},
    ]
    job_id = device.create_job({"steps": steps})
    seen = []
    while (found := device.execution(job_id))["status"] in ("QUEUED", "IN_PROGRESS"):
        details = found.get("statusDetails", {}).get("detailsMap", {})
        if details and details not in seen:
            seen.append(details)
        time.sleep(0.05)
    assert found["status"] == "SUCCEEDED"
    assert [(d["operation"], d["step"], d["of"]) for d in seen if "percent" in d] == [
        ("wait", "1", "2")
    ], seen
    assert 25 <= int(seen[0]["percent"]) <= 50
    assert found["versionNumber"] == 4, "queued, started, one report, the end"


def padded(document: dict[str, Any], size: int) -> dict[str, Any]:
    """Return a document of this size, its steps commented at equal length."""
    steps = document["steps"]
    text = json.dumps(document, separators=(",", ":"))
    each = "x" * ((size - len(text)) // len(steps) - len('"_why":"",'))
    return {**document, "steps": [{**step, "_why": each} for step in steps]}


def test_documents_of_the_promised_size_run_and_larger_ones_end(device: Device) -> None:
    toggle = {"operation": "gpio", "pin": "led", "action": "toggle"}
    is_here = {"key": "operatingSystem", "value": ["micropython"], "type": "stringEqual"}
    whole = {"finalStep": command("report"), "includeStdOut": "true", "conditions": [is_here]}
    handler = {"handler": "gpio.sh", "args": ["led", "toggle"], "path": "/opt/handlers"}
    step: Any = {"name": "x", "type": "runHandler", "input": handler, "runAsUser": "user1"}
    step |= {"allowStdErr": 1, "ignoreStepFailure": "false"}
    short = client(command("report"))
    one, alone = {"steps": [toggle]}, client(command("gpio", "led", "toggle"), **whole)
    natives, clients = {"steps": [toggle] * 20}, client(*[{"action": step}] * 20, **whole)
    for _ in range(10):  # the log is then as long as it gets
        assert device.run_job(short)[0] == "SUCCEEDED"
        assert device.run_job({"operation": "fly"})[0] == "REJECTED"
    documents = [padded(one, ALONE), padded(alone, ALONE)] * 2
    documents += [padded(each, SIZE) for each in (natives, clients)] * 2
    documents += [padded(clients, size) for size in (6_000, 10_000, 20_000)]
    for document in documents:
        status, details = device.run_job(document)
        assert (status, details.get("code")) == ("SUCCEEDED", "OK"), (details, device.log())
        assert ("stdout" in details) == ("version" in document), "nothing is left out"
    assert len(of(device, LED)) == sum(len(document["steps"]) for document in documents)
    for size in (11_000, 12_500, 30_000):
        status, details = device.run_job({**short, "_padding": "x" * size})
        assert status == "SUCCEEDED" or details["code"] in ("DOCUMENT_TOO_LARGE", "OUT_OF_MEMORY")
    assert device.run_job(toggle)[0] == "SUCCEEDED"


def test_twenty_long_urls_and_twenty_logs_fit_in_a_document(device: Device) -> None:
    url = "http://127.0.0.1:9/" + "x" * 1_300  # plain http, which is refused
    for words in (["download-file", url, "/files/x"], ["collect-log"]):
        step = command(*words)
        step["action"]["ignoreStepFailure"] = True
        for _ in range(2):
            status, details = device.run_job(client(*[step] * 20, includeStdOut=True))
            assert (status, details["steps"]) == ("SUCCEEDED", "20"), (details, device.log())
            assert len(details["stdout"]) >= 500
            assert ("INSECURE_URL" in details.get("ignored", "")) == ("download-file" in words)


def test_a_long_document_goes_on_after_a_reboot_in_its_middle(device: Device) -> None:
    led, relay = (
        {"operation": "gpio", "pin": pin, "action": "toggle"} for pin in ("led", "relay")
    )
    document = padded({"steps": [led] * 7 + [{"operation": "reboot"}] + [relay] * 7}, 15_000)
    status, details = device.run_job(document)
    assert (status, details["steps"]) == ("SUCCEEDED", "15"), (details, device.log())
    assert device.board.boot == 2
    assert len(of(device, LED)) == 7 and len([v for v in of(device, RELAY) if v != "z"]) == 7


def test_many_downloads_fit_in_a_document(device: Device, bucket: str) -> None:
    steps = [
        {"operation": "download-file", "url": bucket, "path": f"/files/{i}", "sha256": SHA256}
        for i in range(20)
    ]
    status, details = device.run_job({"steps": steps})
    assert (status, details["steps"], details["path"]) == ("SUCCEEDED", "20", "/files/19"), details


def test_a_large_document_is_shown_to_a_person_or_its_size_is_told(manual: Device) -> None:
    toggle = {"operation": "gpio", "pin": "led", "action": "toggle"}
    document = padded({"steps": [toggle] * 20}, 8_000)
    job_id = manual.create_job(document)
    check_shown(manual, job_id, document)
    assert manual.command(f"update-job-execution {job_id} SUCCEEDED").status == 0
    larger = {**document, "_why": "x" * 10_000}
    check_shown(manual, manual.create_job(larger), larger)
    assert "Traceback" not in manual.log()


def check_shown(manual: Device, job_id: str, document: Any) -> None:
    for line in (f"describe-job-execution {job_id}", "start-next-pending-job-execution"):
        answer = manual.command(line)
        assert answer.status == 0 and answer.result["execution"]["jobId"] == job_id, answer
        if "jobDocument" in answer.result["execution"]:
            assert answer.result["execution"]["jobDocument"] == document
        else:
            assert f"aws iot get-job-document --job-id {job_id}" in answer.lines[-1]


def test_settings_with_which_the_board_does_not_come_back_are_rolled_back(device: Device) -> None:
    document = {"operation": "set-config", "keepalive_s": 77, "deadline_s": 10}
    boots = device.board.boot
    job_id = device.create_job(document)
    eventually(lambda: device.board.boot > boots)
    faults.press(device.board.files, "wifi", "no-ap")
    device.expect("the old ones are put back")
    eventually(lambda: device.board.boot > boots + 1)
    faults.release(device.board.files)
    ended = device.ended(job_id)
    assert ended["status"] == "FAILED"
    assert ended["statusDetails"]["detailsMap"]["code"] == "ROLLED_BACK"
    assert device.run_job({**document, "log": "debug"})[0] == "SUCCEEDED", (
        "with the network it holds"
    )
