"""Plots as SVG: horizontal bars in groups, and percentiles on a logarithmic scale."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.rows import PERCENTILES, number_text

COLOURS = (
    *("#1b6ca8", "#d1495b", "#3a7d44", "#e08e45", "#6c5b7b", "#4a4e69"),
    *("#17a2b8", "#a0522d", "#d477b8", "#8c8c00"),
)

_WIDTH = 860
_LABEL_WIDTH = 290
_MARGIN, _LEGEND_HEIGHT = 12, 20
_BAR_HEIGHT, _GAP, _TOP = 13, 12, 42
_PLOT_HEIGHT = 280
_VALUE_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a plot: a name, and its values by label."""

    name: str
    values: Mapping[str, float]


def bars(title: str, unit: str, series: Sequence[Series]) -> str:
    """Return bars: a group for each label, in it a bar for each series that has a value."""
    labels = list(dict.fromkeys(label for one in series for label in one.values))
    most = max((value for one in series for value in one.values.values()), default=1.0)
    room = _WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts, y = list[str](), float(_TOP)
    for label in labels:
        shown = [(n, one) for n, one in enumerate(series) if label in one.values]
        middle = y + len(shown) * _BAR_HEIGHT / 2 + 4
        parts.append(_text(_LABEL_WIDTH - 8, middle, label, anchor="end"))
        for number, one in shown:
            value = one.values[label]
            width = max(1.0, value / most * room)
            parts.append(_rect(_LABEL_WIDTH, y, width, _BAR_HEIGHT - 2, _colour(number)))
            parts.append(_text(_LABEL_WIDTH + width + 5, y + 9, number_text(value), size=10))
            y += _BAR_HEIGHT
        y += _GAP
    return _page(title, unit, [one.name for one in series], parts, y)


def percentile_lines(title: str, series: Sequence[tuple[str, Mapping[float, float]]]) -> str:
    """Return milliseconds by percentile, a line for each series, on a logarithmic scale."""
    values = [value for _, points in series for value in points.values()]
    low = math.floor(math.log10(max(min(values, default=1.0), 0.01)))
    high = max(math.ceil(math.log10(max(values, default=10.0))), low + 1)
    step = (_WIDTH - 2 * _VALUE_WIDTH) / (len(PERCENTILES) - 1)

    def x_of(share: float) -> float:
        return _VALUE_WIDTH + PERCENTILES.index(share) * step

    def y_of(value: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - (math.log10(max(value, 0.01)) - low) / (high - low))

    parts = []
    for power in range(low, high + 1):
        y = y_of(10.0**power)
        parts.append(_line([(_VALUE_WIDTH, y), (_WIDTH - _VALUE_WIDTH, y)], "#dddddd", 1))
        parts.append(_text(_VALUE_WIDTH - 8, y + 4, f"{10.0**power:g} ms", anchor="end", size=11))
    foot = _TOP + _PLOT_HEIGHT + 20
    parts += [_text(x_of(one), foot, f"p{one:g}", anchor="middle") for one in PERCENTILES]
    for number, (_, points) in enumerate(series):
        spots = [(x_of(share), y_of(value)) for share, value in sorted(points.items())]
        parts.append(_line(spots, _colour(number), 2))
        parts += [_rect(x - 3, y - 3, 6, 6, _colour(number)) for x, y in spots]
    return _page(title, "", [name for name, _ in series], parts, _TOP + _PLOT_HEIGHT + 40)


def _page(title: str, unit: str, names: Sequence[str], parts: list[str], height: float) -> str:
    """Return the whole plot, its legend beneath where there is more than one colour."""
    legend = []
    x = float(_MARGIN)
    for number, name in enumerate(names if len(names) > 1 else ()):
        width = 30 + 6.4 * len(name)
        if x + width > _WIDTH and x > _MARGIN:
            x, height = float(_MARGIN), height + _LEGEND_HEIGHT
        legend.append(_rect(x, height, 11, 11, _colour(number)))
        legend.append(_text(x + 16, height + 10, name, size=11))
        x += width
    height += _LEGEND_HEIGHT
    box = f"0 0 {_WIDTH} {height:.0f}"
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img"',
        f' aria-label="{escape(title)}" font-family="sans-serif">',
        _rect(0, 0, _WIDTH, height, "#ffffff"),
        _text(_MARGIN, 22, f"{title}, {unit}" if unit else title, size=15),
    ]
    return "\n".join([*head, *parts, *legend, "</svg>\n"])


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
    )


def _line(points: Sequence[tuple[float, float]], colour: str, width: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="#222222">{escape(text)}</text>'
    )
