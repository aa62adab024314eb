"""`jobs-sandbox init`: answers from options, from a terminal, and what stays as it was."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pexpect
import pytest

from host_tools import defaults, paths
from host_tools.__main__ import main


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sandbox.toml"
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(path))
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JOBS_SANDBOX_WIFI_PASSWORD", raising=False)
    return path


def _init(*arguments: str) -> dict[str, str]:
    assert main(["init", *arguments]) == 0
    return defaults.load()


def test_every_answer_is_an_option_and_without_a_terminal_nothing_is_asked(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "password").write_text('geheim: "ü" \\ #\'\n')
    known = _init(
        "--port", "/dev/ttyUSB0", "--definition", "esp32_generic_s3", "--thing", "t:1",
        "--wifi-ssid", 'my "net" # 5', "--wifi-password-file", str(tmp_path / "password"),
        "--cloud", "aws", "--region", "eu-west-1", "--profile", "lab",
    )  # fmt: skip
    assert known == {
        "port": "/dev/ttyUSB0", "definition": "esp32_generic_s3", "thing": "t:1",
        "wifi_ssid": 'my "net" # 5', "wifi_password": "geheim: \"ü\" \\ #'",
        "cloud": "aws", "region": "eu-west-1", "profile": "lab",
    }  # fmt: skip
    printed = capsys.readouterr()
    assert "geheim" not in printed.out + printed.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_json_does_not_show_the_password(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBS_SANDBOX_WIFI_PASSWORD", "geheim")
    assert _init("--wifi-ssid", "net", "--json")["wifi_password"] == "geheim"
    assert json.loads(capsys.readouterr().out) == {"wifi_ssid": "net"}


def test_what_was_there_stays_with_its_comments(file: Path) -> None:
    file.write_text('# mine\nthing = "old" # the first\nwifi_ssid = "net"\nwifi_password = "p"\n')
    assert _init("--board", "porch") == {
        "thing": "old", "wifi_ssid": "net", "wifi_password": "p", "board": "porch",
    }  # fmt: skip
    assert file.read_text().startswith('# mine\nthing = "old" # the first\n')
    assert _init("--thing", "new")["thing"] == "new"
    assert file.read_text().startswith('# mine\nthing = "new"\n')


def test_a_choice_takes_out_what_it_makes_void(file: Path) -> None:
    _init("--board", "porch", "--cloud", "aws", "--profile", "lab")
    assert _init("--port", "/dev/x") == {"port": "/dev/x", "cloud": "aws", "profile": "lab"}
    assert _init("--board", "b", "--endpoint-url", "http://e") == {
        "board": "b", "endpoint_url": "http://e",
    }  # fmt: skip
    assert _init("--cloud", "local") == {"board": "b", "cloud": "local"}
    assert _init("--board", "", "--cloud", "") == {}


def test_another_network_takes_out_the_password_of_the_first(file: Path) -> None:
    file.write_text('wifi_ssid = "home"\nwifi_password = "geheim"\n')
    assert _init("--wifi-ssid", "home")["wifi_password"] == "geheim"
    assert _init("--wifi-ssid", "travel") == {"wifi_ssid": "travel"}
    assert "geheim" not in file.read_text()


def test_the_example_is_the_start(file: Path) -> None:
    _init("--thing", "t")
    example = (paths.ROOT / "docs" / "sandbox.example.toml").read_text()
    changed = [
        (old, new)
        for old, new in zip(example.splitlines(), file.read_text().splitlines(), strict=True)
        if old != new
    ]
    assert changed == [('# thing = "my-thing"', 'thing = "t"')]


@pytest.mark.parametrize(
    ("arguments", "status", "cause"),
    [
        (["--thing", "a b"], 2, "cannot be a thing's name"),
        (["--definition", "nothing"], 1, "nothing"),
        (["--endpoint-url", "host:1"], 2, "is not an http or https URL"),
        (["--profile", "p", "--cloud", "local"], 1, 'profile needs cloud = "aws"'),
        (["--wifi-password-file", "/nowhere"], 2, "cannot read /nowhere"),
    ],
)
def test_wrong_answers_are_told_and_nothing_is_written(
    arguments: list[str],
    status: int,
    cause: str,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["init", *arguments]) == status
    assert cause in capsys.readouterr().err
    assert not file.exists()


def test_a_file_that_cannot_be_changed_by_lines_is_left_alone(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'thing = """\\\n  old"""\n'
    file.write_text(text)
    assert main(["init", "--thing", "new"]) == 1
    assert capsys.readouterr().err
    assert file.read_text() == text


def test_a_folder_that_cannot_be_written_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", "/proc/sandbox.toml")
    assert main(["init", "--thing", "t"]) == 1
    assert "/proc/sandbox.toml cannot be written" in capsys.readouterr().err


def _spawn() -> pexpect.spawn[str]:
    command = ["-m", "host_tools", "init"]
    return pexpect.spawn(
        sys.executable, command, cwd=str(paths.ROOT), timeout=60, encoding="utf-8"
    )


def test_a_terminal_is_asked_and_the_password_not_echoed(file: Path) -> None:
    child = _spawn()
    child.expect(r"or a serial port, or auto \[sandbox\]: ")
    child.sendline("/dev/ttyACM0")
    child.expect(r"Thing \[my-thing\]: ")
    child.sendline("a b")
    child.expect("cannot be a thing's name")
    child.expect(r"Thing \[my-thing\]: ")
    child.sendline("")
    child.expect(r"local or aws \[local\]: ")
    child.sendline("aws")
    child.expect("AWS region, empty: as configured: ")
    child.sendline("eu-west-1")
    child.expect("AWS profile, empty: as configured: ")
    child.sendline("")
    child.expect("Wi-Fi network: ")
    child.sendline("net")
    child.expect("not echoed: ")
    child.waitnoecho()
    child.sendline("geheim")
    child.expect(pexpect.EOF)
    assert child.before is not None and "geheim" not in child.before
    child.close()
    assert child.exitstatus == 0
    assert defaults.load() == {
        "port": "/dev/ttyACM0", "thing": "my-thing", "cloud": "aws", "region": "eu-west-1",
        "wifi_ssid": "net", "wifi_password": "geheim",
    }  # fmt: skip


def test_the_second_time_all_is_proposed_as_it_was(file: Path) -> None:
    text = 'port = "/dev/x"\nthing = "t"\ncloud = "local"\nwifi_ssid = "n"\nwifi_password = "p"\n'
    file.write_text(text)
    child = _spawn()
    for question in (r"\[/dev/x\]: ", r"Thing \[t\]: ", r"\[local\]: ", r"network \[n\]: "):
        child.expect(question)
        child.sendline("")
    child.expect("empty: as it is: ")
    child.waitnoecho()
    child.sendline("")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert file.read_text() == text


def test_without_an_answer_nothing_is_written(file: Path) -> None:
    child = _spawn()
    child.expect("or a serial port")
    child.sendeof()
    child.expect("nothing was written")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert not file.exists()
