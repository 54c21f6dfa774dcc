"""Draws lines over two axes as SVG, readable on light and dark pages. Knows nothing of what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 64, 160, 48, 48
COLOURS = ("#0a7d5a", "#c2410c", "#6d5bd0", "#b58900", "#5b6770")
GREY = "#8a939b"


@dataclass(frozen=True, slots=True)
class Series:
    """Points (x, y) in order of x; those without a y are left out."""

    name: str
    points: Sequence[tuple[float, float | None]]

    @property
    def known(self) -> list[tuple[float, float]]:
        return [(x, y) for x, y in self.points if y is not None]


def plot(title: str, axes: tuple[str, str], series: Sequence[Series]) -> str:
    """An SVG document. Both axes begin at zero."""
    points = [point for each in series for point in each.known]
    across, up = (nice_top(max((p[axis] for p in points), default=1)) for axis in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + x / across * width, HEIGHT - BOTTOM - y / up * height

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="system-ui, sans-serif" font-size="12" fill="{GREY}">',
        f"<title>{escape(title)}</title>",
        _text(LEFT, TOP - 24, title, size=14),
        _text(WIDTH - RIGHT, HEIGHT - 12, axes[0], anchor="end"),
        _text(LEFT - 8, TOP - 8, axes[1], anchor="end"),
    ]
    for step in range(5):
        x, y = place(across * step / 4, up * step / 4)
        parts.append(f'<path d="M{LEFT} {y:.0f}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-opacity=".3"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{up * step / 4:g}", anchor="end"))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, f"{across * step / 4:g}", anchor="middle"))
    for number, each in enumerate(series):
        placed = [place(*point) for point in each.known]
        parts += _line(each.name, COLOURS[number % len(COLOURS)], placed, TOP + 16 + 20 * number)
    return "\n".join([*parts, "</svg>", ""])


def _line(name: str, colour: str, points: list[tuple[float, float]], legend: float) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    x = WIDTH - RIGHT + 16
    sample = f'<path d="M{x} {legend - 4}h16" stroke="{colour}" stroke-width="2"/>'
    line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    return [line, *dots, sample, _text(x + 22, legend, name)]


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'


def nice_top(value: float) -> float:
    """The next of 1, 2, 4, 8 times a power of ten: what an axis can end with."""
    step = 1.0
    while step * 10 <= value:
        step *= 10
    return next(step * factor for factor in (1, 2, 4, 8, 10) if step * factor >= value)
