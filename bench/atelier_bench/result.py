"""What a case hands back: figures with their bars, rows to compare with, and what broke."""

from __future__ import annotations

from dataclasses import dataclass, field


class Broken(Exception):
    """A run failed, or lost something: there is no figure to judge."""


class Skipped(Exception):
    """A case can't be measured here, for the reason it says."""


@dataclass(frozen=True)
class Figure:
    """One number and the bar that it is held against."""

    name: str
    value: float
    # None: told, and not judged.
    bar: float | None = None
    at_least: bool = False
    unit: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether it reaches its bar; None where it has none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    @property
    def strain(self) -> float | None:
        """How far it is used up: up to 1 it holds. None where that can't be said as a share."""
        if self.bar is None:
            return None
        over, under = (self.bar, self.value) if self.at_least else (self.value, self.bar)
        if under > 0:
            return over / under
        return 0.0 if over == 0 else None

    def shown(self, number: float) -> str:
        """A number of this figure, with its unit."""
        return show(number) + (f" {self.unit}" if self.unit else "")

    @property
    def shown_bar(self) -> str:
        """The bar, with its direction."""
        if self.bar is None:
            return "–"
        return f"{'≥' if self.at_least else '≤'} {self.shown(self.bar)}"


def show(number: float) -> str:
    """A number as it stands in a table: whole, or with the digits that matter."""
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    if float(number).is_integer():
        return str(int(number))
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.3f}"


@dataclass(frozen=True)
class Row:
    """One contestant of a comparison, with its numbers by column."""

    who: str
    values: dict[str, float | str]


@dataclass
class Result:
    """What became of a case."""

    figures: list[Figure] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # When calls were let in, in seconds from the first, by contestant; and the limit that they kept to.
    curves: dict[str, list[float]] = field(default_factory=dict)
    limit: tuple[int, float] | None = None
    broken: str | None = None
    skipped: str | None = None
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """In a word or two: broken, skipped, holds or falls short."""
        if self.broken is not None:
            return "broken"
        if self.skipped is not None:
            return "skipped"
        judged = [figure.holds for figure in self.figures if figure.holds is not None]
        return "holds" if all(judged) else "falls short"
