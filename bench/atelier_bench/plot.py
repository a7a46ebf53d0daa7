"""Two pictures in one SVG: every figure against its bar, and calls over time against a limit."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .result import Figure, Result

if TYPE_CHECKING:
    from .bench import Case

WIDTH, LEFT, RIGHT = 960, 400, 150
ROW = 22
# Beyond so many times its bar a figure is cut off.
WIDEST = 2.0
GOOD, BAD, INK, PALE = "#2a7f78", "#c2452d", "#222222", "#dddddd"
LINES = ("#2a7f78", "#b8860b", "#6a5acd", "#c2452d", "#555555", "#3b6fb6")
FONT = 'font-family="Helvetica, Arial, sans-serif" font-size="12"'


def draw(measured: list[tuple[Case, Result]]) -> str:
    """The whole picture."""
    figures = [(case.key, figure) for case, result in measured for figure in result.figures if figure.bar is not None]
    parts, height = bars(figures)
    for case, result in measured:
        if result.limit and result.curves:
            more, height = curves(case.title, result, height + 30)
            parts += more
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {FONT}>'
    return "\n".join([head, rectangle(0, 0, WIDTH, height, "white"), *parts, "</svg>", ""])


def bars(figures: list[tuple[str, Figure]]) -> tuple[list[str], float]:
    """A bar for each figure: up to the line it holds. Also how high that is."""
    room = WIDTH - LEFT - RIGHT
    at_bar = LEFT + room / WIDEST
    bottom = 50 + ROW * len(figures)
    parts = [
        text(10, 20, "Each figure as a share of its bar: up to the line it holds", weight="bold"),
        line(at_bar, 32, at_bar, bottom, INK, 1.5),
        text(at_bar, 44, "bar", anchor="middle", ground=True),
    ]
    for index, (case, figure) in enumerate(figures):
        top = 50 + ROW * index
        share = WIDEST if figure.strain is None else min(figure.strain, WIDEST)
        colour = GOOD if figure.holds else BAD
        parts.append(text(LEFT - 8, top + 15, f"{case}: {figure.name}", anchor="end"))
        parts.append(rectangle(LEFT, top + 4, max(room * share / WIDEST, 1.5), ROW - 8, colour))
        shown = f"{figure.shown(figure.value)} ({figure.shown_bar})"
        parts.append(text(WIDTH - RIGHT + 8, top + 15, shown, colour=colour))
    parts.append(line(at_bar, 50, at_bar, bottom, INK, 1.5))
    return parts, bottom


def curves(title: str, result: Result, top: float) -> tuple[list[str], float]:
    """Calls that were let in, over time, with the most that the limit allows. Also how high that ends."""
    amount, window = result.limit or (1, 1.0)
    most = max(len(times) for times in result.curves.values())
    longest = max(times[-1] for times in result.curves.values()) + window / 10
    box_top, box_left, box_width, box_height = top + 30, 60, WIDTH - 90, 260

    def point(at: float, calls: float) -> str:
        x, y = box_left + box_width * at / longest, box_top + box_height * (1 - calls / (most * 1.05))
        return f"{x:.1f},{y:.1f}"

    allowed = staircase([index // amount * window for index in range(most)], longest)
    parts = [
        text(10, top + 12, f"Calls let in over time: {title}", weight="bold"),
        polyline([point(*each) for each in allowed], PALE, 6),
    ]
    legend = [("what the limit allows", PALE)]
    for (who, times), colour in zip(result.curves.items(), LINES, strict=False):
        parts.append(polyline([point(*each) for each in staircase(times, longest)], colour, 1.8))
        legend.append((who, colour))
    parts += axes(box_left, box_top, box_width, box_height, longest, most)
    bottom = box_top + box_height
    for index, (who, colour) in enumerate(legend):
        x, y = box_left + 10 + 220 * (index % 4), bottom + 34 + 20 * (index // 4)
        parts += [rectangle(x, y, 18, 6, colour), text(x + 24, y + 7, who)]
    return parts, bottom + 60 + 20 * ((len(legend) - 1) // 4)


def staircase(times: list[float], until: float) -> list[tuple[float, float]]:
    """The number of calls so far, as a line with corners."""
    points = [(0.0, 0.0)]
    for count, at in enumerate(times):
        points += [(at, count), (at, count + 1)]
    return [*points, (max(until, times[-1]), len(times))]


def axes(left: float, top: float, width: float, height: float, longest: float, most: int) -> list[str]:
    """The axes with some numbers."""
    bottom = top + height
    parts = [line(left, top, left, bottom, INK, 1), line(left, bottom, left + width, bottom, INK, 1)]
    for at in marks(longest):
        parts.append(text(left + width * at / longest, bottom + 16, f"{at:g} s", anchor="middle"))
    for count in marks(most):
        parts.append(text(left - 6, bottom - height * count / most / 1.05 + 4, f"{count:g}", anchor="end"))
    return parts


def marks(most: float) -> list[float]:
    """Some round numbers from 0 to `most`."""
    step = next(step for power in range(6) for step in (10**power, 2 * 10**power, 5 * 10**power) if most / step <= 8)
    return [float(step * count) for count in range(int(most / step) + 1)]


def text(
    x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK, weight: str = "normal",
    ground: bool = False,
) -> str:
    """Words at a place; with a ground where they cross a line."""
    behind = ' stroke="white" stroke-width="4" paint-order="stroke"' if ground else ""
    how = f'text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"{behind}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {how}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def polyline(points: list[str], colour: str, width: float) -> str:
    """A line with corners."""
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled box."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
