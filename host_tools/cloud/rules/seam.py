"""Seams: the private names of MiniStack that the rules replace, checked before they are.

The package is pinned, but a rule that silently stopped working would be worse than none: a name
that is gone, or whose parameters changed, ends the start with a message that says which.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import types
from typing import Any


class MissingSeamError(Exception):
    """The installed MiniStack has not what a rule replaces."""

    def __init__(self, rule: str, seam: str, reason: str) -> None:
        from host_tools.cloud.settings import VERSION

        installed = importlib.metadata.version("ministack")
        super().__init__(
            f"rule '{rule}' cannot be applied: {seam} {reason} in ministack {installed}"
            f" (the rules are written for {VERSION})"
        )


def take(rule: str, owner: Any, name: str, parameters: tuple[str, ...] | None = None) -> Any:
    """Return `owner.name` for a rule to use or replace.

    `parameters`, if given, are the names its signature must have, `self` included.
    Raises MissingSeamError if there is no such name, or its signature differs.
    """
    seam = f"{getattr(owner, '__name__', owner)}.{name}"
    if not hasattr(owner, name):
        raise MissingSeamError(rule, seam, "does not exist")
    found = getattr(owner, name)
    if parameters is not None:
        actual = tuple(inspect.signature(found).parameters)
        if actual != parameters:
            raise MissingSeamError(rule, seam, f"has the parameters {actual}, not {parameters},")
    return found


def need(rule: str, owner: Any, *names: str) -> None:
    """Check the names a rule merely uses. Raises MissingSeamError."""
    for name in names:
        take(rule, owner, name)


def replace(owner: Any, name: str, value: Any) -> None:
    """Put `value` in the place of `owner.name`, which `take` has checked.

    A function takes over the signature of what it replaces, for the rule that wraps it next.
    """
    if isinstance(value, types.FunctionType):
        functools.update_wrapper(value, getattr(owner, name))
    setattr(owner, name, value)
