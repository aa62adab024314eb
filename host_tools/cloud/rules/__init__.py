"""What AWS IoT Core does and MiniStack does not: one small function per rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from host_tools.cloud.rules.seam import MissingSeamError
from host_tools.cloud.settings import Settings

__all__ = ["MissingSeamError", "Sweep", "apply_rules"]

Sweep = Callable[[], Awaitable[None]]
"""Work done several times a second, beside the server: what AWS does by itself when time
passes."""


def apply_rules(settings: Settings, touch: Callable[[], None]) -> list[Sweep]:
    """Apply every rule to the imported MiniStack and return the sweeps. Raises
    MissingSeamError."""
    return []
