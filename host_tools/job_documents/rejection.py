"""Why a board would reject a document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rejection:
    """The code and the reason, which names the member."""

    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"
