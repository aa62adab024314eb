"""What a check says."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from host_tools.errors import ToolError


class Verdict(enum.Enum):
    """How a check came out; SKIP: it could not be made, or does not apply."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True)
class Check:
    """One line. `world` is host, board or cloud; `text` is what was found, or the cause; `fix` is
    the next thing to do, empty if there is nothing.
    """

    world: str
    name: str
    verdict: Verdict
    text: str
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what `--json` prints."""
        return {**vars(self), "verdict": self.verdict.value}


@dataclass(frozen=True)
class World:
    """Makes the checks of one world."""

    name: str

    def ok(self, name: str, text: str) -> Check:
        """Return that all is well."""
        return Check(self.name, name, Verdict.OK, text)

    def warn(self, name: str, text: str, fix: str = "") -> Check:
        """Return that something may be wrong, or will be."""
        return Check(self.name, name, Verdict.WARN, text, fix)

    def fail(self, name: str, text: str, fix: str) -> Check:
        """Return that something is wrong."""
        return Check(self.name, name, Verdict.FAIL, text, fix)

    def skip(self, name: str, text: str, fix: str = "") -> Check:
        """Return that it could not be checked, and why."""
        return Check(self.name, name, Verdict.SKIP, text, fix)

    def failed(self, name: str, error: ToolError) -> Check:
        """Return that a check ended with an error."""
        return self.fail(name, error.message, error.hint)
