"""The table of `make bench`: for a terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

_NARROWEST = 130
_HEADS = ("figure", "here", "beside it, same run", "target")


@dataclass
class Row:
    """A figure. `exact` (bytes, counts) and `ratios` (of timings) go into the record."""

    figure: str
    here: str
    beside: str = ""
    target: str = ""
    exact: dict[str, Any] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)

    def cells(self) -> tuple[str, str, str, str]:
        return self.figure, self.here, self.beside, self.target


class Table:
    """The rows, in the order in which they were measured."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, figure: str, here: str, **more: Any) -> None:
        """Add a row; lines in a cell are parted by newlines."""
        self.rows.append(Row(figure, here, **more))

    def show(self) -> None:
        """Print it."""
        from rich.console import Console
        from rich.table import Table as RichTable

        shown = RichTable(*_HEADS, show_lines=True)
        for row in self.rows:
            shown.add_row(*row.cells())
        terminal = Console()
        Console(width=max(terminal.width, _NARROWEST)).print(shown, markup=False)

    def markdown(self) -> str:
        """Return it as Markdown."""
        lines = [_line(_HEADS), _line(["---"] * len(_HEADS))]
        return "\n".join(lines + [_line(row.cells()) for row in self.rows])

    def json(self) -> str:
        """Return it as JSON, a list of rows."""
        return json.dumps([asdict(row) for row in self.rows], indent=1)

    def record(self) -> dict[str, dict[str, Any]]:
        """Return what the record keeps: {"exact": {…}, "ratios": {…}}."""
        exact: dict[str, Any] = {}
        ratios: dict[str, float] = {}
        for row in self.rows:
            exact |= row.exact
            ratios |= {name: round(value, 2) for name, value in row.ratios.items()}
        return {"exact": exact, "ratios": ratios}


def _line(cells: Any) -> str:
    safe = (cell.replace("<", "&lt;").replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(cell.replace("\n", "<br>") for cell in safe) + " |"
