"""Teardown against the real local IoT Core: exactly what was made goes, in order, and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pexpect
import pytest
from botocore.stub import Stubber

from host_tools import identity as store
from host_tools import paths, policy
from host_tools.__main__ import main
from host_tools.cloud.access import Cloud
from host_tools.errors import ToolError
from host_tools.provision import provision, provisioned, record
from host_tools.provision.calls import Calls
from host_tools.provision.policy_steps import MARK
from host_tools.provision.record import Made
from host_tools.provision.teardown import Removal, Teardown
from tests.host.provision_bench import ROOT, counted, user


@pytest.fixture(scope="module")
def cloud(private_cloud: Cloud) -> Cloud:
    return private_cloud


@pytest.fixture(scope="module")
def iot(cloud: Cloud) -> Any:
    return cloud.client("iot")


def everything(iot: Any) -> dict[str, Any]:
    """All that the cloud holds of AWS IoT, as far as provisioning could touch it."""
    return {
        "things": {each["thingName"]: each["attributes"] for each in iot.list_things()["things"]},
        "certificates": {
            each["certificateId"]: each["status"]
            for each in iot.list_certificates(pageSize=250)["certificates"]
        },
        "policies": {
            each["policyName"]: sorted(
                iot.list_targets_for_policy(policyName=each["policyName"])["targets"]
            )
            for each in iot.list_policies()["policies"]
        },
    }


def test_it_leaves_the_cloud_and_this_computer_as_they_were(cloud: Cloud, iot: Any) -> None:
    before = everything(iot)
    provision(cloud, "alone")
    assert everything(iot) != before

    assert main(["provision", "--teardown", "alone", "--yes"]) == 0
    assert everything(iot) == before
    assert not paths.thing_folder("alone").exists()
    assert "alone" not in provisioned()


def test_it_says_each_call_in_the_order_that_aws_wants(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    provision(cloud, "spoken")
    capsys.readouterr()
    assert main(["provision", "--teardown", "spoken", "--yes"]) == 0
    said = capsys.readouterr()
    calls = [line.split()[4] for line in said.err.splitlines() if line.startswith("  $ ")]
    assert calls == [
        "detach-thing-principal",
        "detach-policy",
        "update-certificate",
        "delete-certificate",
        "delete-thing",
        "delete-policy",
    ]
    assert said.out == "spoken: what was made is gone\n"


def test_the_policy_stays_while_another_thing_needs_it(cloud: Cloud, iot: Any) -> None:
    provision(cloud, "first")
    kept = provision(cloud, "second")
    assert main(["provision", "--teardown", "first", "--yes"]) == 0
    assert everything(iot)["policies"] == {policy.NAME: [kept.certificate_arn]}
    assert main(["provision", "--teardown", "second", "--yes"]) == 0
    assert everything(iot)["policies"] == {}


def test_a_policy_with_versions_goes_with_all_of_them(cloud: Cloud, iot: Any) -> None:
    provision(cloud, "versions")
    text = iot.get_policy(policyName=policy.NAME)["policyDocument"]
    iot.create_policy_version(policyName=policy.NAME, policyDocument=text, setAsDefault=True)
    assert main(["provision", "--teardown", "versions", "--yes"]) == 0
    assert everything(iot)["policies"] == {}


def test_a_thing_and_a_policy_of_somebody_else_stay(cloud: Cloud, iot: Any) -> None:
    iot.create_thing(thingName="theirs")
    place = Calls(cloud).place
    document = policy.document(place.partition, place.region, place.account)
    iot.create_policy(policyName=policy.NAME, policyDocument=json.dumps(document))
    before = everything(iot)

    provision(cloud, "theirs")
    assert main(["provision", "--teardown", "theirs", "--yes"]) == 0
    assert everything(iot) == before
    iot.delete_policy(policyName=policy.NAME)
    iot.delete_thing(thingName="theirs")


def test_a_thing_made_anew_by_somebody_else_stays(cloud: Cloud, iot: Any) -> None:
    made = provision(cloud, "anew")
    iot.detach_thing_principal(thingName="anew", principal=made.certificate_arn)
    iot.delete_thing(thingName="anew")
    iot.create_thing(thingName="anew")
    assert main(["provision", "--teardown", "anew", "--yes"]) == 0
    assert everything(iot)["things"] == {"anew": {}}
    iot.delete_thing(thingName="anew")


def test_a_strange_certificate_on_our_thing_is_named_and_nothing_is_forgotten(
    cloud: Cloud, iot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    provision(cloud, "shared")
    strange = iot.create_keys_and_certificate(setAsActive=False)["certificateArn"]
    iot.attach_thing_principal(thingName="shared", principal=strange)
    assert main(["provision", "--teardown", "shared", "--yes"]) == 1
    assert strange in capsys.readouterr().err
    assert "shared" in everything(iot)["things"]

    iot.detach_thing_principal(thingName="shared", principal=strange)
    assert main(["provision", "--teardown", "shared", "--yes"]) == 0
    assert everything(iot)["things"] == {}
    iot.delete_certificate(certificateId=strange.rpartition("/")[2])


def test_every_certificate_that_was_made_for_the_thing_goes(cloud: Cloud, iot: Any) -> None:
    before = everything(iot)
    first = provision(cloud, "renewed")
    iot.update_certificate(certificateId=first.certificate_id, newStatus="INACTIVE")
    provision(cloud, "renewed")
    assert main(["provision", "--teardown", "renewed", "--yes"]) == 0
    assert everything(iot) == before


@pytest.mark.parametrize("cut", range(6))
def test_a_teardown_that_was_cut_short_is_finished_by_the_next(
    cut: int, cloud: Cloud, iot: Any
) -> None:
    before = everything(iot)
    provision(cloud, "cut")
    with counted(fail_at=cut), pytest.raises(ToolError, match="no answer from the cloud"):
        main_raising(["provision", "--teardown", "cut", "--yes"])
    assert main(["provision", "--teardown", "cut", "--yes"]) == 0
    assert everything(iot) == before
    assert not paths.thing_folder("cut").exists()


def main_raising(argv: list[str]) -> None:
    # as main() does, but with the error as it is
    from host_tools.__main__ import _run

    _run(argv)


def test_a_half_made_thing_can_be_removed(
    cloud: Cloud, iot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(iot)
    allowed = ["iot:DescribeThing", "iot:CreateThing", "iot:GetPolicy", "iot:CreatePolicy"]
    with monkeypatch.context() as patch:
        for name, value in user(cloud, "half", allowed).items():
            patch.setenv(name, value)
        with pytest.raises(ToolError, match="CreateCertificateFromCsr"):
            provision(Cloud("local", cloud.endpoint_url, cloud.region), "half")
    assert main(["provision", "--teardown", "half", "--yes"]) == 0
    assert everything(iot) == before
    assert not paths.thing_folder("half").exists()


def test_a_dry_run_shows_the_calls_and_removes_nothing(
    cloud: Cloud, iot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    provision(cloud, "rehearsed")
    before = everything(iot), sorted(paths.thing_folder("rehearsed").iterdir())
    capsys.readouterr()
    assert main(["provision", "--teardown", "rehearsed", "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (everything(iot), sorted(paths.thing_folder("rehearsed").iterdir())) == before
    with counted() as made:
        assert main(["provision", "--teardown", "rehearsed", "--yes"]) == 0
    assert [(each["operation"], each["parameters"]) for each in planned] == made


def test_it_asks_on_a_terminal_and_takes_only_yes(cloud: Cloud, iot: Any) -> None:
    provision(cloud, "asked")
    command = ["-m", "host_tools", "provision", "--teardown", "asked"]
    for answer, status in (("\r", 1), ("no\r", 1), ("y\r", 0)):
        child = pexpect.spawn(
            ROOT.python, command, cwd=str(ROOT.folder), timeout=60, encoding="utf-8"
        )
        child.expect(r"asked: the thing, certificate \w+…, its attachments")
        child.expect(r"Remove this from account 000000000000, us-east-1\? \[y/N\] ")
        assert "asked" in everything(iot)["things"]
        child.send(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == status
        assert ("asked" in everything(iot)["things"]) == bool(status)


def test_without_a_terminal_it_refuses_unless_told_yes(
    cloud: Cloud, iot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    provision(cloud, "silent")
    assert main(["provision", "--teardown", "silent"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert "silent" in everything(iot)["things"]
    assert main(["provision", "--teardown", "silent", "--yes"]) == 0


def test_what_was_made_in_another_account_is_left_alone(
    cloud: Cloud, iot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made = provision(cloud, "mine")
    elsewhere = "arn:aws:iot:eu-west-1:111122223333:thing/theirs"
    record.add("theirs", record.THING, elsewhere)
    assert main(["provision", "--teardown", "theirs", "--yes"]) == 1
    assert "was made in account 111122223333, eu-west-1" in capsys.readouterr().err

    record.add("mine", record.THING, elsewhere)
    assert main(["provision", "--teardown", "mine", "--yes"]) == 0
    assert made.thing not in everything(iot)["things"]
    assert record.read("mine") == [Made(record.THING, elsewhere)]
    assert store.private_key("mine") is not None  # the other account may need it


def test_of_an_unknown_thing_there_is_nothing_to_remove(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["provision", "--teardown", "unknown", "--yes"]) == 1
    assert "nothing was made here for thing unknown" in capsys.readouterr().err
    assert not paths.thing_folder("unknown").exists()


def test_a_damaged_record_is_named(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    (paths.thing_dir("damaged") / record.FILE).write_text("[{}]")
    assert main(["provision", "--teardown", "damaged", "--yes"]) == 1
    assert "made.json is damaged" in capsys.readouterr().err


def test_it_waits_until_aws_has_detached(cloud: Cloud) -> None:
    """Detaching is asynchronous on AWS, and at once in MiniStack: so AWS is played here."""
    calls, naps = Calls(cloud), list[float]()
    with Stubber(calls._iot) as aws:
        aws.add_response("describe_thing", {"thingName": "slow", "attributes": dict([MARK])})
        aws.add_response("list_thing_principals", {"principals": []})
        for _ in range(2):
            aws.add_client_error(
                "delete_thing",
                "InvalidRequestException",
                "Cannot delete. Thing slow is still attached to one or more principals",
            )
        aws.add_response("delete_thing", {})
        removal = Removal("slow", (Made(record.THING, calls.place.arn("thing", "slow")),))
        Teardown(calls, sleep=naps.append)._delete_thing(removal)
        aws.assert_no_pending_responses()
    assert naps == [0.5, 0.5]
    (paths.thing_dir("slow") / record.FILE).unlink()


def test_waiting_for_aws_has_an_end(cloud: Cloud) -> None:
    calls, naps = Calls(cloud), list[float]()
    with Stubber(calls._iot) as aws:
        for _ in range(31):
            aws.add_client_error("delete_certificate", "DeleteConflictException", "attached")
        with pytest.raises(Exception, match="DeleteConflict"):
            Teardown(calls, sleep=naps.append)._patiently(
                "delete_certificate", certificateId="0" * 64
            )
    assert sum(naps) == 15


def test_a_batch_goes_as_it_came(cloud: Cloud, iot: Any, tmp_path: Path) -> None:
    before = everything(iot)
    batch = ["provision", "lot-{:02}", "--count", "2", "--first", "9"]
    assert main([*batch, "--manifest", str(tmp_path / "lot.json")]) == 0
    assert {"lot-09", "lot-10"} <= set(everything(iot)["things"])
    assert main([*batch, "--teardown", "--yes"]) == 0
    assert everything(iot) == before
