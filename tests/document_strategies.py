"""Random job documents, valid ones made from the operations' tables and others made from them by
damage: as a maker, and as a strategy of Hypothesis, which seeks the smallest that goes wrong.
"""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from host_tools.boards import BoardDefinition
from host_tools.job_documents import tables

_JUNK: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    1.5,
    True,
    [],
    {},
    "x",
    "${aws:iot:parameter:x}",
    10**12,
    ["led"],
    "é\n",
)
_TEXTS = {
    "colour": ("#00ff80", "#ABCDEF"),
    "file": ("/files/a", "/files/b.bin"),
    "url": ("http://localhost:1/x", "https://localhost:1/y?a=b"),
    "hosts": (["a.example"], ["a.example", "10.0.0.1"]),
}


def documents(board: BoardDefinition, *, damaged: bool) -> SearchStrategy[Any]:
    """Return the strategy of valid, or of damaged, documents for a board."""
    choices = strategies.randoms(use_true_random=False)
    makers = choices.map(lambda chance: Documents(chance, board))
    return makers.map(Documents.damaged if damaged else Documents.valid)


class Documents:
    """Makes documents for a board by `chance`; the same seed makes the same."""

    def __init__(
        self, chance: random.Random, board: BoardDefinition, without: tuple[str, ...] = ()
    ) -> None:
        self._random = chance
        self._board = board
        self._names = [name for name in tables.operations() if name not in without]

    def valid(self) -> dict[str, Any]:
        """Return a document of any form that the board accepts."""
        form = self._random.choice((self._operation, self._steps, self._client, self._old))
        return form()

    def damaged(self) -> Any:
        """Return a valid document with one to three things changed, which may be valid still."""
        document: Any = self.valid()
        for _ in range(self._random.randint(1, 3)):
            document = self._damage(copy.deepcopy(document))
        return document

    def _operation(self) -> dict[str, Any]:
        name = self._random.choice(self._names)
        operation = tables.operations()[name]
        document: dict[str, Any] = {"operation": name}
        for member, rule in operation.arguments.items():
            if member in operation.optional and self._random.random() < 0.5:
                continue
            value = self._value(rule, document)
            if value is not None and self._is_allowed(operation, member, document):
                document[member] = value
        return document

    def _is_allowed(
        self, operation: tables.Operation, member: str, document: dict[str, Any]
    ) -> bool:
        if member not in operation.only:
            return True
        other, *values = operation.only[member]
        value = document.get(other)
        if other == "pin":
            value = self._board.pins[document["pin"]].kind
        return value in values

    def _value(self, rule: tuple[Any, ...], document: dict[str, Any]) -> Any:
        kind, *rest = rule
        if kind == "pin":
            kinds = [each for each in rest if ":" not in each]
            pins = [name for name, pin in self._board.pins.items() if pin.kind in kinds]
            return self._random.choice(pins)
        if kind == "choice":
            return self._random.choice(rest)
        if kind == "int":
            high = rest[1] if isinstance(rest[1], int) else tables.limits()[rest[1]]
            return self._random.randint(rest[0], min(high, rest[0] + 2))
        if kind == "bool":
            return self._random.random() < 0.5
        if kind == "hex":
            return "0123456789abcdefABCDEF"[self._random.randint(0, 21)] * rest[0]
        return self._random.choice(_TEXTS[kind])

    def _steps(self) -> dict[str, Any]:
        return {"steps": [self._operation() for _ in range(self._random.randint(1, 3))]}

    def _client(self) -> dict[str, Any]:
        steps = [self._action() for _ in range(self._random.randint(1, 3))]
        document: dict[str, Any] = {"version": "1.0", "steps": steps}
        if self._random.random() < 0.3:
            document["finalStep"] = self._action()
        if self._random.random() < 0.3:
            document["includeStdOut"] = self._random.choice((True, "true", False, "false", ""))
        return document

    def _action(self) -> dict[str, Any]:
        words = self._words()
        if self._random.random() < 0.5:
            command = ",".join(word.replace(",", "\\,") for word in words)
            action: dict[str, Any] = {"type": "runCommand", "input": {"command": command}}
        else:
            given = {"handler": words[0] + self._random.choice(("", ".sh")), "args": words[1:]}
            action = {"type": "runHandler", "input": given}
        if self._random.random() < 0.3:
            action["ignoreStepFailure"] = self._random.choice((True, "true", False))
        return {"action": {"name": "a step", **action}}

    def _words(self) -> list[str]:
        document = self._operation()
        words = [document.pop("operation")]
        for member, value in document.items():
            text = ";".join(value) if isinstance(value, list) else value
            if isinstance(value, bool):
                text = str(value).lower()
            words.append(f"{member}={text}")
        return words

    def _old(self) -> dict[str, Any]:
        name, *words = self._words()
        return {"operation": name, "args": words}

    def _damage(self, value: Any) -> Any:
        # somewhere in the tree: another value, a member more, a member less
        if isinstance(value, dict) and value and self._random.random() < 0.8:
            name = self._random.choice(list(value))
            what = self._random.random()
            if what < 0.15:
                del value[name]
            elif what < 0.3:
                value[self._random.choice(("extra", "version", "args", "steps", "_x"))] = 1
            else:
                value[name] = self._damage(value[name])
            return value
        if isinstance(value, list) and value and self._random.random() < 0.8:
            at = self._random.randrange(len(value))
            value[at] = self._damage(value[at])
            return value
        if isinstance(value, str) and value and self._random.random() < 0.5:
            at = self._random.randrange(len(value))
            return value[:at] + self._random.choice("aZ0.,=/\\\n") + value[at + 1 :]
        return copy.deepcopy(self._random.choice(_JUNK))
