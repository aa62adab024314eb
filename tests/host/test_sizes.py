"""The application keeps within its budgets of flash and heap."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from host_tools import paths
from tests.benchmarks import names, record, size, sizes
from tests.firmware import budgets


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MICROPYTHON32", raising=False)
        return sizes.measure()


def test_flash(measured: dict[str, Any]) -> None:
    assert measured["totals"]["mpy"] <= budgets.FLASH
    largest = max(measured["modules"], key=lambda name: measured["modules"][name]["mpy"])
    assert measured["modules"][largest]["mpy"] <= budgets.LARGEST_MODULE, largest


def test_heap(measured: dict[str, Any]) -> None:
    totals = measured["totals"]
    assert totals["resident"] + totals["names"] <= budgets.RESIDENT


def test_names() -> None:
    """Of all modules: what a board keeps that has run every operation and command."""
    assert len(names.kept(names.lent())) <= budgets.NAMES


def test_what_stays_is_told_from_what_is_given_up(measured: dict[str, Any]) -> None:
    stays = {name for name, module in measured["modules"].items() if module.get("stays")}
    assert {"sandbox.app", "sandbox.link", "sandbox.stream", "sandbox.board"} <= stays
    assert not {"sandbox.handshake", "sandbox.commands", "sandbox.console"} & stays


def test_the_table_shows_what_has_changed(measured: dict[str, Any]) -> None:
    before = {
        "modules": {**measured["modules"], "sandbox.app": {"py": 1, "mpy": 1, "heap": 1}},
        "totals": {**measured["totals"], "mpy": measured["totals"]["mpy"] + 10},
    }
    lines = size.table(measured, before)
    (app,) = [line for line in lines if line.startswith("sandbox.app ")]
    mpy = measured["modules"]["sandbox.app"]["mpy"]
    assert f"{mpy} (+{mpy - 1})" in app
    (other,) = [line for line in lines if line.startswith("sandbox.link ")]
    assert "(" not in other
    (total,) = [line for line in lines if line.startswith(".mpy together")]
    assert "(-10)" in total and ("met: " in total or "missed: " in total)


def test_the_record_is_kept_as_text_that_reads_back(
    measured: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "FILE", tmp_path / "record.json")
    assert record.load() == {}
    record.keep(sizes=measured)
    record.keep(other={"n": 1})
    assert record.load() == {"sizes": measured, "other": {"n": 1}}


def test_what_make_size_and_make_bench_run_can_be_run() -> None:
    recipes = subprocess.run(
        ["make", "-n", "size", "bench"], cwd=paths.ROOT, capture_output=True, text=True, check=True
    ).stdout
    for module, words in (("tests.benchmarks.size", ()), ("tests.benchmarks", ("--help",))):
        assert f"-m {module}" in recipes
        done = subprocess.run(
            [sys.executable, "-m", module, *words], cwd=paths.ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0 and done.stdout, done.stderr
