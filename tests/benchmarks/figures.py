"""Figures: medians with their spread, and what is said of a target."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of some samples, and between what the middle half of them lies."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """Return that of at least one sample."""
        if len(samples) < 2:
            return cls(samples[0], samples[0], samples[0], len(samples))
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high, len(samples))

    def text(self, unit: str, digits: int = 2) -> str:
        """Return `1.23 ms (1.10 to 1.40, n 100)`."""
        numbers = (f"{each:.{digits}f}" for each in (self.median, self.low, self.high))
        median, low, high = numbers
        return f"{median} {unit} ({low} to {high}, n {self.count})"


def verdict(figure: float, target: float, unit: str = "KB") -> str:
    """Say whether a figure that must not be larger meets its target; KB are given in bytes."""
    scale = 1024 if unit == "KB" else 1
    word = "met" if figure <= target else "missed"
    return f"{word}: {number(figure / scale)} {unit} of {number(target / scale)} {unit}"


def number(value: float) -> str:
    """Return it with one digit behind the point, none if it is whole."""
    return f"{value:.1f}".removesuffix(".0")
