"""`make bench`: measure everything of issue 6 side by side and print one table.

The benchmarks are pytest functions, for the sake of the fixtures that the system tests use; `make
test` does not collect them. A target that is missed is told in the table and is no failure.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tools import interpreter
from host_tools.paths import ROOT
from tests.benchmarks import record, sizes
from tests.benchmarks.table import Table

PAGE = ROOT / "docs" / "benchmarks.md"
MARK = "<!-- What follows is written by `make bench ARGS=--record`. -->"
_FOLDER = Path(__file__).parent
_ORDER = (
    "connect", "requests", "jobs", "traffic", "heap", "flash", "idle", "boot", "deploy",
    "commands",
)  # fmt: skip


class Bench:
    """The plugin that gives the benchmarks their table, and tells what could not be measured."""

    def __init__(self) -> None:
        self.result = Table()

    @pytest.fixture
    def table(self) -> Table:
        """The table to add rows to."""
        return self.result

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        print(f"measuring: {nodeid.rpartition('::bench_')[2].replace('_', ' ')}", file=sys.stderr)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        report: Any = yield
        if report.failed:
            error = str(call.excinfo.value).splitlines() if call.excinfo else []
            name = item.name.removeprefix("bench_").replace("_", " ")
            self.result.add(name, f"not measured, {report.when}: {(error or ['?'])[-1]}")
        return report  # type: ignore[no-any-return]


def main() -> int:
    """Measure and print; return the exit status, not 0 if something could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure side by side.")
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(_ORDER)} (all)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the table as JSON, too")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="and as Markdown")
    parser.add_argument(
        "--record",
        action="store_true",
        help=f"renew the record and, with all subjects, {PAGE.relative_to(ROOT)}",
    )
    parser.add_argument("--tests", action="store_true", help="time `make test`, too: minutes")
    args = parser.parse_args()
    if args.tests:
        os.environ["JOBS_SANDBOX_BENCH_TESTS"] = "1"
    bench, machine = Bench(), _machine()
    if args.record:
        record.keep(sizes=sizes.measure())
    status = pytest.main(
        [
            *(str(_FOLDER / f"bench_{each}.py") for each in args.subjects or _ORDER),
            "--rootdir", str(ROOT), "-p", "no:xdist", "-p", "no:cacheprovider", "-q", "-m", "",
            "-o", "python_files=bench_*.py", "-o", "python_functions=bench_*", "--timeout", "600",
        ],
        plugins=[bench],
    )  # fmt: skip
    _publish(bench.result, machine, args)
    return int(status)


def _publish(table: Table, machine: str, args: argparse.Namespace) -> None:
    table.show()
    print(machine)
    if args.json:
        args.json.write_text(table.json() + "\n")
    if args.markdown:
        args.markdown.write_text(table.markdown() + "\n")
    if args.record:
        before = record.load().get("bench", {})
        now = table.record()
        record.keep(bench={name: {**before.get(name, {}), **now[name]} for name in now})
    if args.record and not args.subjects:
        text = PAGE.read_text().partition(MARK)[0]
        PAGE.write_text(f"{text}{MARK}\n\n{machine}\n\n{table.markdown()}\n")


def _commit() -> str:
    shown = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip() or "unknown"


def _machine() -> str:
    version = ".".join(map(str, interpreter.version(interpreter.find())))
    return (
        f"Measured with commit {_commit()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, MicroPython {version}."
    )


if __name__ == "__main__":
    sys.exit(main())
