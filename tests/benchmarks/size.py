"""`make size`: what each module of the firmware takes, and what that is more or less than in the
last commit's record.

`--record` renews the record; `--json` prints what was measured.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from tests.benchmarks import record, sizes
from tests.benchmarks.figures import verdict
from tests.benchmarks.interpreters import how_measured
from tests.firmware import budgets

_COLUMNS = ("py", "mpy", "heap", "heap32")
_HEADS = {"py": ".py", "mpy": ".mpy", "heap": "heap", "heap32": "heap, 32 bit"}


def main() -> None:
    """Measure, print, and record if asked to."""
    parser = argparse.ArgumentParser(prog="make size", description="What each module takes.")
    parser.add_argument("--record", action="store_true", help="renew the record")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    args = parser.parse_args()
    found, before = sizes.measure(), record.committed().get("sizes", {})
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        print("\n".join(table(found, before)))
    if args.record:
        record.keep(sizes=found)


def table(found: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return the lines: bytes, each with its difference from the record; `*` marks what stays in
    the heap once it is loaded.
    """
    columns = [name for name in _COLUMNS if any(name in m for m in found["modules"].values())]
    old = before.get("modules", {})
    lines = [_line("module", [_HEADS[name] for name in columns])]
    for name in sorted({*found["modules"], *old}):
        now, then = found["modules"].get(name, {}), old.get(name, {})
        cells = [_cell(now.get(each, 0), then.get(each), bool(before)) for each in columns]
        lines.append(_line(name + " *" * bool(now.get("stays")), cells))
    files = found["files"]
    lines += [_line(name, [str(size)]) for name, size in files.items()]
    lines += ["", *_totals(found["totals"], before.get("totals", {}))]
    return lines


def _totals(now: dict[str, int], then: dict[str, int]) -> list[str]:
    how = how_measured()
    return [
        f"{label}: {_cell(now[name], then.get(name), bool(then))} bytes{target}"
        for name, label, target in (
            ("mpy", ".mpy together", f", {verdict(now['mpy'], budgets.FLASH_TARGET)}"),
            ("flash", "all files of the application", ""),
            ("resident", f"heap of all that stays (*), {how}", ""),
            ("names", f"names the others leave there, {how}", ""),
            ("resident32", "heap of all that stays (*), 32 bit", ""),
            ("names32", "names the others leave there, 32 bit", ""),
        )
        if name in now
    ]


def _line(name: str, cells: list[str]) -> str:
    return f"{name:<34}" + "".join(f"{cell:>16}" for cell in cells)


def _cell(now: int, then: int | None, compared: bool) -> str:
    change = now - (then or 0)
    return f"{now} ({change:+d})" if compared and change else str(now)


if __name__ == "__main__":
    main()
