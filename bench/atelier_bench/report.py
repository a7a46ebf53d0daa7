"""The results as a table, as JSON, and as lines for a terminal."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from pathlib import Path

from . import plot
from .bench import Case
from .result import Figure, Result, Row, show

HOLDS = {True: "yes", False: "**no**", None: "–"}

Measured = list[tuple[Case, Result]]


def write(folder: Path, measured: Measured, machine: dict[str, str], quick: bool) -> None:
    """Writes engine.md, engine.json and engine.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "engine.md").write_text(markdown(measured, machine, quick))
    (folder / "engine.json").write_text(as_json(measured, machine, quick))
    (folder / "engine.svg").write_text(plot.draw(measured))


def as_json(measured: Measured, machine: dict[str, str], quick: bool) -> str:
    """Everything that was measured."""
    cases = {}
    for case, result in measured:
        figures = [
            {**dataclasses.asdict(figure), "value": finite(figure.value), "holds": figure.holds}
            for figure in result.figures
        ]
        rows = [{"who": row.who, **row.values} for row in result.rows]
        cases[case.key] = {
            **dataclasses.asdict(result), "title": case.title, "verdict": result.verdict,
            "figures": figures, "rows": rows,
            "curves": {who: [round(at, 3) for at in times] for who, times in result.curves.items()},
            "seconds": round(result.seconds, 1),
        }
    return json.dumps({"machine": machine, "quick": quick, "cases": cases}, indent=1) + "\n"


def finite(value: float) -> float | None:
    """What JSON can hold of a number."""
    return value if math.isfinite(value) else None


def markdown(measured: Measured, machine: dict[str, str], quick: bool) -> str:
    """The report to be read."""
    how = "By `make bench`; [README.md](../README.md) says how, and what the bars mean."
    lines = ["# The engine, measured", "", how, ""]
    if quick:
        lines += ["**A quick run: the sizes are smaller than the titles say, and the figures rougher.**", ""]
    lines += table(["", ""], [[name, text] for name, text in machine.items() if text])
    lines += ["", "![each figure against its bar, and calls over time](engine.svg)", ""]
    lines += table(["case", "figure", "reached", "bar", "holds"], summary(measured))
    for case, result in measured:
        lines += ["", f"## {case.key}", "", f"{case.title}. {result.seconds:.0f} s.", ""]
        lines += section(result)
    return "\n".join(lines).rstrip() + "\n"


def summary(measured: Measured) -> list[list[str]]:
    """A row for each figure, and one for a case that has none."""
    rows = []
    for case, result in measured:
        if result.broken or result.skipped:
            rows.append([case.key, result.verdict, result.broken or result.skipped or "", "", ""])
        for figure in result.figures:
            rows.append([case.key, figure.name, figure.shown(figure.value), figure.shown_bar, HOLDS[figure.holds]])
    return rows


def section(result: Result) -> list[str]:
    """What there is to say of one case beside its figures."""
    lines = compared(result.rows)
    if lines and result.notes:
        lines.append("")
    return lines + [f"- {note}" for note in result.notes]


def compared(rows: list[Row]) -> list[str]:
    """The rows of a comparison as a table, with every column that one of them has."""
    if not rows:
        return []
    columns = list(dict.fromkeys(column for row in rows for column in row.values))
    cells = [[row.who, *(cell(row.values.get(column)) for column in columns)] for row in rows]
    return table(["", *columns], cells)


def cell(value: float | str | None) -> str:
    """A value of a comparison."""
    if value is None:
        return ""
    return value if isinstance(value, str) else show(value)


def table(header: list[str], rows: Iterable[list[str]]) -> list[str]:
    """A table in Markdown."""
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in cells) + " |"
    return [line(header), "|" + "---|" * len(header), *map(line, rows)]


def told(case: Case, result: Result) -> list[str]:
    """What a terminal shows of one case."""
    lines = [f"{case.key}: {result.verdict}, {result.seconds:.0f} s"]
    lines += [f"    {text}" for text in (result.broken, result.skipped) if text]
    lines += [f"    {figure_told(figure)}" for figure in result.figures]
    lines += [f"      {row_told(row)}" for row in result.rows]
    return lines + [f"      {note}" for note in result.notes]


def row_told(row: Row) -> str:
    """A row of a comparison on one line."""
    return f"{row.who}: " + ", ".join(f"{name} {cell(value)}" for name, value in row.values.items())


def figure_told(figure: Figure) -> str:
    """A figure on one line, with a sign for whether it holds."""
    sign = {True: "+", False: "-", None: " "}[figure.holds]
    return f"{sign} {figure.name}: {figure.shown(figure.value)} ({figure.shown_bar})"


def columns(rows: list[list[str]]) -> list[str]:
    """Rows of text below each other."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))] if rows else []
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
