"""The doctor's checks of the board, each provoked on a virtual board that runs the firmware.

They share one board: a test leaves it as it should be, or `mended` brings it back.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from host_tools import identity, paths
from host_tools.board import faults
from host_tools.console import Session
from host_tools.doctor import Check, Examination, Verdict, board, bundle, credentials
from host_tools.doctor.facts import Facts
from host_tools.errors import ToolError
from tests.board_fixture import eventually
from tests.host.doctor_bench import THING, Bench, client, expect, failing
from tests.host.doctor_bench import bench as bench  # the fixture

OK, WARN, FAIL, SKIP = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.SKIP


@pytest.fixture
def mended(bench: Bench) -> Iterator[Bench]:
    """The bench for a test that breaks its board: it is mended afterwards."""
    yield bench
    bench.restore()


@pytest.fixture(scope="module")
def healthy(bench: Bench) -> Facts:
    """What the board says when all is well."""
    return bench.facts()


def checked(bench: Bench, found: Facts, now: datetime.datetime | None = None) -> dict[str, Check]:
    now = now or datetime.datetime.now(datetime.UTC)
    return {check.name: check for check in board.checks(bench.target, found, now)}


def test_all_is_well_and_nothing_is_disturbed(bench: Bench) -> None:
    boots = bench.board.boot
    edges = len(bench.board.edges())
    found = bench.examine()
    assert {check.verdict for check in found.values()} == {OK}, found
    expect(found["board files"], OK, "all as deployed")
    expect(found["board credentials"], OK, THING)
    expect(found["cloud policy"], OK, "allows all")
    assert bench.board.boot == boots and len(bench.board.edges()) == edges
    assert bench.is_online()


def test_board_that_does_not_run(bench: Bench) -> None:
    found = bench.examine("--board", "nobody")
    assert {"board reachable"} <= failing(found)
    expect(found["board reachable"], FAIL, "not running", "board start nobody")
    assert "cloud thing" in found, "the cloud is looked at all the same"


def test_port_that_is_not_there(bench: Bench) -> None:
    found = bench.examine("--port", "/dev/ttyNONE")
    expect(found["host port"], FAIL, "/dev/ttyNONE does not exist", "plug it in")
    expect(found["board reachable"], FAIL, "/dev/ttyNONE")


def test_board_that_says_nothing(bench: Bench, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    link = tmp_path / "tty"
    link.symlink_to(os.ttyname(theirs))
    try:
        found = bench.examine("--port", str(link))
    finally:
        os.close(ours)
        os.close(theirs)
    expect(found["board reachable"], FAIL, "silent", "reset button")


def test_board_at_the_repl_is_asked_there(mended: Bench) -> None:
    with Session(mended.target, lambda line: None, lambda note: None) as session:
        session.open(may_start=lambda: False)
        session.command("quit", 60)
        session.wait_until_ended()
    found = mended.examine()
    expect(found["board application"], FAIL, "at the MicroPython REPL", "console --start")
    expect(found["board micropython"], OK, "mpy 6")
    expect(found["board files"], OK, "all as deployed")
    expect(found["board credentials"], OK, THING)
    expect(found["board wifi"], SKIP, "only the running application")
    with mended.board.line() as line:
        line.send(b"\r")
        line.read_until(b">>> ")


def test_files_that_are_not_as_deployed(mended: Bench) -> None:
    mended.write("/sandbox/pixel.mpy", "x")
    mended.run("import os; os.remove('/board.json')")
    found = mended.examine()
    expect(found["board files"], FAIL, "/board.json is missing", "jobs-sandbox deploy")
    assert "/sandbox/pixel.mpy is not as deployed" in found["board files"].text


def test_file_that_no_deploy_has_put_there(mended: Bench) -> None:
    mended.write("/sandbox/mine.py", "x")
    expect(mended.examine()["board files"], WARN, "/sandbox/mine.py", "jobs-sandbox deploy")


def test_board_without_a_manifest(mended: Bench) -> None:
    mended.run("import os; os.remove('/manifest.json')")
    expect(mended.examine()["board files"], FAIL, "no deploy was completed", "deploy")


def test_credentials_of_another_thing(mended: Bench) -> None:
    mended.write("/credentials/certificate.der", "x")
    found = mended.examine()["board credentials"]
    expect(found, FAIL, "not those of patient on this computer: certificate.der", "deploy --thing")


def test_wifi_that_refuses_the_password(mended: Bench) -> None:
    faults.press(mended.board.files, "wifi", "wrong-password")
    mended.board.reset()
    found = eventually(
        lambda: (f := mended.facts()).status.get("last trouble", "").startswith("WIFI") and f, 30
    )
    wifi = checked(mended, found)
    expect(wifi["wifi"], FAIL, "the access point refused the password", "wifi.password")
    expect(wifi["link"], FAIL, "WIFI_PASSWORD")
    expect(wifi["last trouble"], WARN, "the access point refused the password")


def test_cloud_that_refuses_the_certificate_is_told_by_the_boards_table(mended: Bench) -> None:
    change = {"certificateId": mended.thing.certificate_id}
    mended.iot.update_certificate(**change, newStatus="INACTIVE")
    try:
        found = eventually(
            lambda: not (f := mended.facts()).status["link"].startswith("online") and f, 30
        )
        expect(checked(mended, found)["link"], FAIL, ":")
        expect(mended.examine()["cloud certificate"], FAIL, "INACTIVE", "update-certificate")
    finally:
        mended.iot.update_certificate(**change, newStatus="ACTIVE")


def test_second_client_with_the_same_id(mended: Bench) -> None:
    assert mended.cloud.local_info
    other = client(mended.thing, mended.cloud.local_info)
    deadline = time.monotonic() + 30
    while mended.facts().status.get("last trouble", "").split(" ")[0] != "DROPPED_REPEATEDLY":
        assert time.monotonic() < deadline
        with other.connected() as wire:
            wire.closed(4)  # by the board, when it connects again
    found = mended.examine()
    expect(found["cloud client id"], FAIL, "another client may use the client id patient")
    expect(found["board last trouble"], WARN, "another client uses this client id")


def test_clock_that_is_wrong(mended: Bench) -> None:
    faults.set_clock(mended.board.files, time.time() - 7200)
    found = checked(mended, mended.facts())
    expect(found["clock"], FAIL, "s behind: certificates are judged by it", "UDP port 123")
    faults.set_clock(mended.board.files, datetime.datetime.now().timestamp() + 600)
    expect(checked(mended, mended.facts())["clock"], WARN, "s ahead")


def test_watchdog_reset_is_told(bench: Bench, healthy: Facts) -> None:
    status = {**healthy.status, "uptime": "1.000 s, boot 3, WDT_RESET"}
    found = checked(bench, replace(healthy, status=status))
    expect(found["last reset"], WARN, "the watchdog bit")
    status |= {
        "uptime": "1.000 s, boot 3, HARD_RESET",
        "before the reset": "I 9.0 jobs: a started",
    }
    found = checked(bench, replace(healthy, status=status))
    expect(
        found["last reset"], WARN, "nobody ordered it; the log before it: I 9.0 jobs: a started"
    )


@pytest.mark.parametrize(
    ("name", "text", "verdict", "told"),
    [
        ("micropython", "1.20.0, mpy 6, B, M with ESP32", FAIL, "older than 1.24"),
        ("micropython", "2.0.0, mpy 7, B, M with ESP32", FAIL, "does not load .mpy"),
        ("micropython", "?", WARN, "no version"),
        ("heap", "900 bytes free", WARN, "900 bytes"),
        ("wifi", "home, 10.0.0.2, RSSI -88 dBm", WARN, "weak"),
        ("link", "connecting for 3 s", FAIL, "connecting"),
    ],
)
def test_what_a_virtual_board_cannot_be(
    bench: Bench, healthy: Facts, name: str, text: str, verdict: Verdict, told: str
) -> None:
    found = checked(bench, replace(healthy, status={**healthy.status, name: text}))
    expect(found[name], verdict, told)


def test_system_heap_too_small_for_tls(bench: Bench, healthy: Facts) -> None:
    heap = {"system heap": "60000 bytes free, 20000 in one piece"}
    online = checked(bench, replace(healthy, status=healthy.status | heap))
    expect(online["system heap"], OK, "20000")
    status = healthy.status | heap | {"link": "connecting for 3 s"}
    offline = checked(bench, replace(healthy, status=status))
    expect(offline["system heap"], WARN, "TLS needs", "reset the board")


def test_board_without_an_application(bench: Bench, healthy: Facts) -> None:
    blank = replace(healthy, application=None, status={}, files={}, manifest="")
    found = checked(bench, blank)
    expect(found["application"], FAIL, "no application runs", "deploy --board doctor`")
    expect(found["files"], FAIL, "no deploy was completed", "jobs-sandbox deploy")
    expect(found["clock"], SKIP, "did not tell its time")


def test_wifi_that_is_gone_without_a_word(bench: Bench, healthy: Facts) -> None:
    status = healthy.status | {"wifi": "not connected", "last trouble": "NO_PINGRESP silent"}
    found = checked(bench, replace(healthy, status=status))
    expect(found["wifi"], FAIL, "not connected: Wi-Fi did not connect", "access point")


def test_executor_that_is_off(bench: Bench, healthy: Facts) -> None:
    expect(checked(bench, healthy)["executor"], OK, "on")
    off = checked(bench, replace(healthy, status=healthy.status | {"executor": "off"}))
    on = "`jobs-sandbox console --command 'executor on' --board doctor`"
    expect(off["executor"], WARN, "nothing there runs a job", on)


def test_firmware_that_is_too_old_to_tell(bench: Bench, healthy: Facts) -> None:
    status = {key: text for key, text in healthy.status.items() if key != "micropython"}
    found = checked(bench, replace(healthy, status=status))
    expect(found["micropython"], SKIP, "too old to tell", "deploy")


# Credentials on this computer


def _credentials(bench: Bench, now: datetime.datetime) -> Iterator[Check]:
    return credentials.checks(board.BOARD, bench.target, THING, None, now)


@pytest.mark.parametrize(
    ("days", "verdict", "told"),
    [(-2, FAIL, "not yet valid"), (40000, FAIL, "has expired"), (0, OK, "valid from")],
)
def test_certificate_dates(bench: Bench, days: int, verdict: Verdict, told: str) -> None:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    found = {check.name: check for check in _credentials(bench, now)}
    expect(found["certificate dates"], verdict, told)


def test_certificate_that_expires_soon(bench: Bench) -> None:
    certificate = identity.certificate(THING)
    assert certificate is not None
    now = certificate.not_valid_after_utc - datetime.timedelta(days=5)
    found = {check.name: check for check in _credentials(bench, now)}
    expect(found["certificate dates"], WARN, "expires soon", "provision")


def test_key_that_is_not_the_certificates(bench: Bench) -> None:
    folder = bench.thing.folder
    kept = (folder / "private_key.pem").read_bytes(), (folder / "private_key.der").read_bytes()
    identity.make_private_key(THING)
    try:
        found = bench.examine()
    finally:
        identity.keep(THING, "private_key.pem", kept[0])
        identity.keep(THING, "private_key.der", kept[1])
    expect(found["board key"], FAIL, "not that of the certificate", "provision patient")
    expect(found["board credentials"], FAIL, "private_key.der")


def test_key_that_is_missing(bench: Bench) -> None:
    file = bench.thing.folder / "private_key.pem"
    kept = file.rename(file.with_suffix(".away"))
    try:
        found = bench.examine()
    finally:
        kept.rename(file)
    expect(found["board key"], FAIL, "the key or the certificate of patient is missing", "deploy")


def test_thing_that_this_computer_does_not_know(bench: Bench) -> None:
    found = bench.examine("--thing", "stranger")
    expect(found["board credentials"], FAIL, "no identity on this computer", "provision stranger")
    expect(found["cloud thing"], SKIP, "stranger is not provisioned", "provision stranger")


def test_key_that_others_can_read(bench: Bench) -> None:
    key = bench.thing.folder / "private_key.pem"
    key.chmod(0o644)
    try:
        expect(bench.examine()["host keys"], FAIL, str(key), "chmod 600")
    finally:
        key.chmod(0o600)


def test_interpreter_that_is_missing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    expect(bench.examine()["host micropython"], FAIL, "/nowhere/micropython", "make setup")


# The bundle


def test_bundle_holds_no_secret(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password, access_key = "correct horse battery", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    (tmp_path / "sandbox.toml").write_text(f'wifi_ssid = "home"\nwifi_password = "{password}"\n')
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", access_key)
    pem = (bench.thing.folder / "private_key.pem").read_text()
    with (paths.cloud_dir() / "cloud.log").open("a") as log:  # the worst that a log could hold
        log.write(f"{pem}\n{json.dumps({'password': 'other one'})} secret=xyzzy {access_key}\n")
        log.write(f"the network's {password}\n{bench.thing.folder}\n")
        log.write((bench.thing.folder / "private_key.der").read_bytes().hex() + "\n")
    file = tmp_path / "report.zip"
    bundle.write(file, bench.examination())
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {"checks.json", "board.json", "board-log.txt", "logs/cloud-cloud.log"} <= set(texts)
    everything = "\n".join(texts.values())
    secrets = [password, access_key, "other one", "xyzzy", "BEGIN"]
    secrets += [line for line in pem.splitlines() if line and "-" not in line]
    secrets += [key_in_hex(bench)]
    secrets += (bench.thing.folder / "certificate.pem").read_text().splitlines()[1:-1]
    for secret in secrets:
        assert secret not in everything, secret
    assert re.search(r'"/sandbox/app.mpy": "[0-9a-f]{64}"', texts["board.json"])
    assert json.loads(texts["checks.json"])[0]["world"] == "host"


def test_bundle_that_cannot_be_written_is_told(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be written: No such file"):
        bundle.write(tmp_path / "none" / "report.zip", Examination())


def key_in_hex(bench: Bench) -> str:
    return (bench.thing.folder / "private_key.der").read_bytes().hex()[80:140]
