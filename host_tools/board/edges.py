"""What the pins did (`pins.jsonl`) and what they are told from outside (`inputs.json`)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from host_tools.board.files import BoardFiles, read_json, write_json

Edge = dict[str, Any]
"""One change of a pin: {"t": unix seconds, "pin": gpio, "name": None, "value": …, "boot": n}.

`value` is 0 or 1 (driven), "z" (released or input), "pwm" (with `freq` Hz and `duty_u16`) or
"rgb" (with `data`, the bytes sent to a NeoPixel chain in hex).
"""


class EdgeReader:
    """Reads the record from where it last stopped; an unfinished last line is left for the
    next time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def skip(self) -> None:
        """Pass over what is there already."""
        self._position = self._path.stat().st_size if self._path.exists() else 0

    def read(self) -> list[Edge]:
        """Return the edges since the last call; starts over after an erase."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._position:
                    self._position = 0
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


def recorded(files: BoardFiles) -> list[Edge]:
    """Return every recorded edge, oldest first."""
    return EdgeReader(files.pins).read()


def follow(
    files: BoardFiles, *, past: bool = True, until: Callable[[], bool] = lambda: False
) -> Iterator[Edge]:
    """Yield edges as they happen, those recorded before first if `past`; ends when `until()`."""
    reader = EdgeReader(files.pins)
    if not past:
        reader.skip()
    while True:
        last_round = until()
        yield from reader.read()
        if last_round:
            return
        time.sleep(0.05)


def follow_driven(edges: list[Edge], driven: dict[int, Any]) -> None:
    """Bring `driven`, what each driven pin was last set to, up to date with `edges`."""
    for edge in edges:
        driven[edge["pin"]] = edge["value"]
        if edge["value"] == "z":
            del driven[edge["pin"]]


def set_input(files: BoardFiles, name: str, value: float | None) -> None:
    """Drive a pin from outside: `name` is a gpio number or "adc<gpio>" (volts); None lets it
    go.
    """
    inputs = read_json(files.inputs)
    if value is None:
        inputs.pop(name, None)
    else:
        inputs[name] = value if name.startswith("adc") else int(value)
    write_json(files.inputs, inputs)
