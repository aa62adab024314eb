"""Set-up: the locks, the Makefile's front door, make_venv.sh, the MicroPython interpreter."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import interpreter, paths, setup_tools, still_running
from host_tools.errors import ToolError
from tests.board_fixture import Board

MAKEFILE = (paths.ROOT / "Makefile").read_text()


HANDED_DOWN = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "ARGS", "BOARD", "PORT", "THING_NAME")


def make(*arguments: str) -> str:
    # `make test ARGS=…` hands its variables down by MAKEFLAGS
    clean = {name: value for name, value in os.environ.items() if name not in HANDED_DOWN}
    answer = subprocess.run(
        ["make", "-C", str(paths.ROOT), *arguments],
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


def locked(name: str) -> dict[str, str]:
    text = (paths.ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements", "requirements-build"])
def test_lock_holds_what_is_asked_for(name: str) -> None:
    packages = locked(f"{name}.lock")
    asked = re.findall(
        r"^([A-Za-z][\w-]*)(?:==(\S+))?", (paths.ROOT / f"{name}.in").read_text(), re.MULTILINE
    )
    assert asked
    for package, version in asked:
        found = packages.get(package.replace("_", "-").lower())
        assert found is not None, f"{package} is not in the lock: make lock"
        assert version in ("", found)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_every_locked_package_has_hashes_and_no_source(name: str) -> None:
    text = (paths.ROOT / name).read_text()
    for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in text
    assert "--index" not in text


def test_environment_is_the_lock() -> None:
    frozen = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--exclude-editable"],
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = locked("requirements.lock") | locked("requirements-build.lock")
    for line in frozen.stdout.split():
        name, _, version = line.partition("==")
        if name.lower().replace("_", "-") != "soupsieve":  # two versions, by Python's patch level
            assert wanted.get(re.sub(r"[._]", "-", name.lower())) == version, line


def test_help_is_the_default_goal_and_lists_every_target() -> None:
    targets = re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)
    assert {"setup", "demo", "test", "lint", "typecheck", "console", "deploy"} < set(targets)
    listed = re.findall(r"^  make (\S+) +\S", make(), re.MULTILINE)
    assert listed == targets
    assert make("help") == make()


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["deploy"], "deploy"),
        (["deploy", "BOARD=b1", "THING_NAME=t1"], "deploy --board b1 --thing t1"),
        (
            ["deploy", "PORT=/dev/ttyUSB0", "ARGS=--dry-run"],
            "deploy --port /dev/ttyUSB0 --dry-run",
        ),
        (
            ["provision", "THING_NAME=t1", "CLOUD=aws", "ENDPOINT_URL=http://localhost:1"],
            "provision t1 --cloud aws --endpoint-url http://localhost:1",
        ),
        (["console", "BOARD=b1"], "console --board b1"),
        (
            [
                "sandbox",
                "ENDPOINT=e",
                "CERT=c d.pem",
                "KEY=k",
                "THING_NAME=t",
                "CLIENT_ID=i",
                "CA=a",
            ],
            "sandbox --endpoint e --cert c d.pem --key k --ca a --thing-name t --client-id i",
        ),
    ],
)
def test_variables_become_flags(arguments: list[str], command: str) -> None:
    printed = make("--dry-run", *arguments).replace("'", "")
    assert f".venv/bin/jobs-sandbox {command}" in [
        " ".join(line.split()) for line in printed.splitlines()
    ]


def test_every_target_needs_setup() -> None:
    rules = dict(re.findall(r"^([a-z-]+):(.*?)##", MAKEFILE, re.MULTILINE))
    without = [target for target, needs in rules.items() if "$(READY)" not in needs]
    assert without == ["help", "lock", "clean"]


@pytest.mark.parametrize(
    ("status", "is_removed"),
    [(0, True), (1, True), (still_running.RUNNING, False), (None, True)],
)
def test_clean_takes_nothing_from_under_what_runs(
    status: int | None, is_removed: bool, tmp_path: Path
) -> None:
    shutil.copy(paths.ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "build").mkdir()
    python = tmp_path / ".venv" / "bin" / "python"
    if status is not None:  # else as an environment that is half made
        python.write_text(
            f'#!/bin/sh\n[ "$*" = "-m host_tools.still_running" ] && exit {status}\n'
        )
        python.chmod(0o755)
    done = subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode == 0) == is_removed
    for name in (".venv", "build"):
        assert (tmp_path / name).exists() != is_removed


def test_what_runs_is_told_with_the_way_to_stop_it(
    board: Board,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert still_running.main() == still_running.RUNNING
    said = capsys.readouterr().err
    assert f"board {board.name}" in said.splitlines()[0]
    assert f"jobs-sandbox board stop {board.name}" in said.splitlines()[1]
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    assert still_running.main() == 0


def make_venv(folder: Path, python: Path | str) -> subprocess.CompletedProcess[str]:
    """Run a copy of make_venv.sh in `folder`, where it can do no harm."""
    (folder / "host_tools").mkdir()
    script = shutil.copy(paths.ROOT / "host_tools" / "make_venv.sh", folder / "host_tools")
    (folder / ".venv").mkdir()
    return subprocess.run(
        ["sh", str(script)],
        env={**os.environ, "PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_setup_without_a_fitting_python_says_so_and_keeps_what_is_there(tmp_path: Path) -> None:
    answer = make_venv(tmp_path, "/bin/false")
    assert answer.returncode == 1
    assert "no Python 3.11 to 3.14 found (looked for: /bin/false)" in answer.stderr
    assert "  try: install Python 3.12" in answer.stderr
    assert (tmp_path / ".venv").is_dir()


def test_setup_with_a_python_that_has_no_venv_says_so(tmp_path: Path) -> None:
    python = tmp_path / "python"
    # why -S and a shadowing folder: this is how a Debian without python3-venv looks to the script
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "ensurepip.py").write_text("raise ImportError")
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}/shadow exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    answer = make_venv(tmp_path, python)
    assert answer.returncode == 1
    assert "has no venv module" in answer.stderr
    assert "apt install python3-venv" in answer.stderr


SLOW_PYTHON = """#!/bin/sh
case "$*" in
    --version) echo Python 3.12.0 ;;
    "-m venv "*) echo making; sleep 60 ;;
esac
"""


def test_ctrl_c_in_setup_says_how_things_stand(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(SLOW_PYTHON)
    python.chmod(0o755)
    (tmp_path / "host_tools").mkdir()
    for name in ("requirements.lock", "requirements-build.lock"):
        shutil.copy(paths.ROOT / name, tmp_path)
    script = shutil.copy(paths.ROOT / "host_tools" / "make_venv.sh", tmp_path / "host_tools")
    with subprocess.Popen(
        ["sh", str(script)],
        env={**os.environ, "PYTHON": str(python)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as setup:
        assert setup.stdout is not None
        assert setup.stdout.readline() == "setup: 1/4 Python 3.12.0 in .venv\n"
        assert setup.stdout.readline() == "making\n"
        os.killpg(setup.pid, signal.SIGINT)  # as a terminal does
        _, said = setup.communicate(timeout=30)
    assert setup.returncode == 130
    assert "setup: interrupted; .venv is incomplete\n  try: make setup" in said
    assert "Traceback" not in said


def test_setup_tells_each_of_its_phases(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (paths.ROOT / "host_tools" / "make_venv.sh").read_text()
    assert re.findall(r"^echo \"setup: (\d)/4 ", script, re.MULTILINE) == ["1", "2", "3", "4"]
    monkeypatch.setattr("host_tools.umqtt_source.fetch", lambda _folder: None)
    monkeypatch.setattr("host_tools.esp32_stubs.build", lambda _folder: None)
    assert setup_tools.main() == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and all(line.startswith("setup: ") for line in said)

    def interrupt(_folder: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("host_tools.esp32_stubs.build", interrupt)
    assert setup_tools.main() == 130
    assert "setup: interrupted\n  try: make setup" in capsys.readouterr().err


def test_interpreter_is_found_and_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MICROPYTHON", raising=False)
    assert interpreter.version(interpreter.find())[:2] >= interpreter.OLDEST


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "which is not a program"),
        ("echo 1 26 1", "is MicroPython 1.26.1; virtual boards need 1.27 or newer"),
        ("echo Python 3", "does not run as a MicroPython interpreter"),
        ("exit 3", "does not run as a MicroPython interpreter"),
    ],
)
def test_unfit_interpreter_is_explained(
    script: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "micropython"
    if script is not None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("MICROPYTHON", str(program))
    with pytest.raises(ToolError, match=message) as caught:
        interpreter.find()
    assert "MICROPYTHON=/path/to/micropython" in caught.value.hint
