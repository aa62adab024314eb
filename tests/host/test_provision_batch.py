"""Many things at once: names, the manifest, and the list of what there is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from host_tools import identity, paths
from host_tools.__main__ import main
from host_tools.cloud.access import Cloud
from host_tools.errors import UsageError
from host_tools.provision import batch, provision
from tests.host.provision_bench import counted, empty


@pytest.fixture
def cloud(private_cloud: Cloud) -> Cloud:
    """The module's cloud, empty."""
    empty(private_cloud)
    return private_cloud


@pytest.mark.parametrize(
    ("pattern", "count", "first", "expected"),
    [
        ("one", None, 1, ["one"]),
        ("s-{}", 3, 1, ["s-1", "s-2", "s-3"]),
        ("s-{:03}", 2, 99, ["s-099", "s-100"]),
        ("{:02d}x", 1, 0, ["00x"]),
    ],
)
def test_names(pattern: str, count: int | None, first: int, expected: list[str]) -> None:
    assert batch.names(pattern, count, first) == expected


@pytest.mark.parametrize(
    ("pattern", "count", "first", "cause"),
    [
        ("s-{:03}", None, 1, "how many"),
        ("s", 2, 1, "needs one place"),
        ("{}-{}", 2, 1, "needs one place"),
        ("{0.__class__}", 2, 1, "needs one place"),
        ("s {}", 2, 1, "cannot be a thing's name"),
        ("{:3}", 2, 1, "cannot be a thing's name"),
        ("s-{}", 0, 1, "--count must be"),
        ("s-{}", 2, -1, "--first"),
        ("x" * 127 + "{:02}", 1, 1, "cannot be a thing's name"),
    ],
)
def test_impossible_names(pattern: str, count: int | None, first: int, cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        batch.names(pattern, count, first)


def test_a_batch_is_made_with_a_manifest(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    with counted() as calls:
        assert main(["provision", "sensor-{:03}", "--count", "3"]) == 0
    assert [name for name, _ in calls].count("CreatePolicy") == 1
    out = capsys.readouterr().out
    manifest = Path(out.rpartition("manifest: ")[2].strip())
    assert manifest == paths.home() / "batches" / "sensor-001..sensor-003.json"
    told = json.loads(manifest.read_text())
    assert told["missing"] == []
    assert [each["thing"] for each in told["things"]] == ["sensor-001", "sensor-002", "sensor-003"]
    for each in told["things"]:
        made = identity.identity(each["thing"])
        assert each == {**made.as_dict(), "folder": str(made.folder)}
    assert len({each["certificate_id"] for each in told["things"]}) == 3
    assert "PRIVATE" not in manifest.read_text()


def test_a_batch_that_stopped_half_way_says_what_is_missing_and_goes_on(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "lot.json"
    command = ["provision", "lot-{}", "--count", "3", "--manifest", str(manifest), "--json"]
    with counted(fail_at=6):
        assert main(command) == 1
    told = json.loads(manifest.read_text())
    assert [each["thing"] for each in told["things"]] == ["lot-1"]
    assert told["missing"] == ["lot-2", "lot-3"]
    capsys.readouterr()

    assert main(command) == 0
    now = json.loads(capsys.readouterr().out)
    assert now == json.loads(manifest.read_text())
    assert now["missing"] == []
    assert now["things"][0] == told["things"][0]


def test_a_manifest_that_cannot_be_written_is_told_before_anything_is_made(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["provision", "x-{}", "--count", "2", "--manifest", "/nowhere/m.json"]) == 2
    assert "cannot write /nowhere/m.json" in capsys.readouterr().err
    assert cloud.client("iot").list_things()["things"] == []


def _rows(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["provision", "--list", "--json"]) == 0
    return {each["thing"]: each for each in json.loads(capsys.readouterr().out)}


def test_the_list_tells_the_state_in_the_cloud(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    iot = cloud.client("iot")
    assert main(["provision", "--list"]) == 0
    assert "Nothing is provisioned" in capsys.readouterr().err
    good, off, gone = (provision(cloud, name) for name in ("good", "off", "gone"))
    iot.update_certificate(certificateId=off.certificate_id, newStatus="INACTIVE")
    iot.update_certificate(certificateId=gone.certificate_id, newStatus="INACTIVE")
    iot.detach_thing_principal(thingName="gone", principal=gone.certificate_arn)
    iot.delete_certificate(certificateId=gone.certificate_id, forceDelete=True)
    iot.create_thing(
        thingName="colleague", attributePayload={"attributes": {"created-by": "jobs-sandbox"}}
    )
    iot.create_thing(thingName="unrelated")
    away = identity.ThingIdentity(
        **{**good.as_dict(), "thing": "away", "certificate_arn": "arn:aws:iot:eu-west-1:1:cert/x"}  # type: ignore[arg-type]
    )
    paths.thing_dir("away")
    identity.keep_identity(away)
    with counted(fail_at=0):
        assert main(["provision", "begun"]) == 1

    rows = _rows(capsys)
    assert {name: row["state"] for name, row in rows.items()} == {
        "good": "ACTIVE", "off": "INACTIVE", "gone": "gone", "colleague": "no key here",
        "away": "elsewhere", "begun": "unfinished",
    }  # fmt: skip
    assert rows["good"]["certificate_id"] == good.certificate_id
    assert main(["provision", "--list"]) == 0
    line = capsys.readouterr().out.splitlines()[4]
    assert line.split()[:5] == ["good", "ACTIVE", "local", "us-east-1", "000000000000"]


def test_the_list_does_without_a_cloud(
    cloud: Cloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    provision(cloud, "good")
    shutil.copytree(paths.home() / "things", tmp_path / "things")
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))  # where no cloud runs
    assert main(["provision", "--list"]) == 0
    printed = capsys.readouterr()
    assert "the cloud is not asked: the local IoT Core is not running" in printed.err
    assert printed.out.startswith("good") and "not asked" in printed.out
