"""Takeovers as pictures, on one axis of seconds after the fault. SVG, no script, no font to fetch."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, log
from statistics import median

from bansho.drill.legs import Leg

WIDTH, ROW, LEFT, RIGHT, TOP = 760, 26, 260, 60, 56


def svg(legs: Sequence[Leg], title: str) -> str:
    """The picture of the legs."""
    height = TOP + ROW * len(legs) + 34
    end = max(1, ceil(max((leg.reached for leg in legs), default=1)))
    scale = (WIDTH - LEFT - RIGHT) / end
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        ' font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="bold" fill="#1c2733">{escape(title)}</text>',
        *_axis(end, scale, height),
        *(line for row, leg in enumerate(legs) for line in _bar(row, leg, scale)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axis(end: int, scale: float, height: int) -> Iterator[str]:
    bottom = height - 26
    for second in range(0, end + 1, max(1, end // 12)):
        x = LEFT + second * scale
        yield f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#d5dbe1"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#5a6772">{second} s</text>'


def _bar(row: int, leg: Leg, scale: float) -> Iterator[str]:
    y = TOP + row * ROW
    x = LEFT + (leg.reached - leg.took) * scale
    width = max(2.0, leg.took * scale)
    yield f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end" fill="#1c2733">{escape(leg.title)}</text>'
    yield f'<rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 10}" rx="3" fill="#2f6f8f"/>'
    yield f'<text x="{x + width + 6:.1f}" y="{y + 14}" fill="#1c2733">{leg.took:.2f}</text>'


def strip(rows: Mapping[str, Sequence[float]], title: str) -> str:
    """The distribution of times: a row a name, a dot a value in seconds, a line at the median. SVG."""
    height = TOP + ROW * len(rows) + 34
    end = max(1, ceil(max((value for values in rows.values() for value in values), default=1)))
    scale = (WIDTH - LEFT - RIGHT) / end
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        ' font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="bold" fill="#1c2733">{escape(title)}</text>',
        *_axis(end, scale, height),
        *(line for row, (name, values) in enumerate(rows.items()) for line in _dots(row, name, values, scale)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _dots(row: int, name: str, values: Sequence[float], scale: float) -> Iterator[str]:
    y = TOP + row * ROW + 9
    yield f'<text x="{LEFT - 10}" y="{y + 5}" text-anchor="end" fill="#1c2733">{escape(name)}</text>'
    for value in values:
        yield f'<circle cx="{LEFT + value * scale:.1f}" cy="{y}" r="5" fill="#2f6f8f" fill-opacity="0.55"/>'
    if values:
        x = LEFT + median(values) * scale
        yield f'<line x1="{x:.1f}" y1="{y - 9}" x2="{x:.1f}" y2="{y + 9}" stroke="#1c2733" stroke-width="2"/>'
        yield f'<text x="{WIDTH - 8}" y="{y + 5}" text-anchor="end" fill="#1c2733">{median(values):.1f} s</text>'


SHORTEST, LONGEST = 0.03, 300.0
"""Seconds: the ends of the axis of `pairs`."""
COLOURS = ("#2f6f8f", "#c46a1b", "#5b7f3a")


def pairs(rows: Mapping[str, Mapping[str, Sequence[float]]], contenders: Mapping[str, str], title: str) -> str:
    """Contenders side by side on a logarithmic axis: a row a name, a dot a value, a line at each median. SVG."""
    height = TOP + ROW * (len(rows) + 1) + 34
    legend = (
        f'<text x="{LEFT + 90 * number}" y="{TOP - 6}" fill="{colour}" font-weight="bold">{escape(name)}</text>'
        for number, (name, colour) in enumerate(zip(contenders, COLOURS, strict=False))
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        ' font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="bold" fill="#1c2733">{escape(title)}</text>',
        *legend,
        *_decades(height),
        *(line for row, (name, values) in enumerate(rows.items()) for line in _pair(row, name, values, contenders)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _place(value: float) -> float:
    """Where a value in seconds is on the logarithmic axis."""
    share = log(max(SHORTEST, min(LONGEST, value)) / SHORTEST) / log(LONGEST / SHORTEST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _decades(height: int) -> Iterator[str]:
    for value in (0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300):
        x, bottom = _place(value), height - 26
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#d5dbe1"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#5a6772">{value:g} s</text>'


def _pair(row: int, name: str, values: Mapping[str, Sequence[float]], contenders: Mapping[str, str]) -> Iterator[str]:
    top = TOP + row * ROW
    yield f'<text x="{LEFT - 10}" y="{top + 16}" text-anchor="end" fill="#1c2733">{escape(name)}</text>'
    for number, (contender, colour) in enumerate(zip(contenders, COLOURS, strict=False)):
        y = top + 7 + 9 * number
        found = values.get(contender, ())
        for value in found:
            yield f'<circle cx="{_place(value):.1f}" cy="{y}" r="4" fill="{colour}" fill-opacity="0.55"/>'
        if found:
            x = _place(median(found))
            yield f'<line x1="{x:.1f}" y1="{y - 5}" x2="{x:.1f}" y2="{y + 5}" stroke="#1c2733" stroke-width="2"/>'


def courses(rows: Mapping[str, Sequence[tuple[float, float]]], title: str) -> str:
    """How values went over time: a row a name, each drawn between its own least and most, which are written. SVG."""
    height = TOP + ROW * len(rows) + 34
    end = max((at for values in rows.values() for at, _ in values), default=1.0) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        ' font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="bold" fill="#1c2733">{escape(title)}</text>',
        *(line for row, (name, values) in enumerate(rows.items()) for line in _course(row, name, values, end)),
        f'<text x="{LEFT}" y="{height - 12}" fill="#5a6772">0 to {end:.0f} s; right: least and most of each</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _course(row: int, name: str, values: Sequence[tuple[float, float]], end: float) -> Iterator[str]:
    if not values:
        return
    bottom = TOP + row * ROW + ROW - 8
    least, most = (pick(value for _, value in values) for pick in (min, max))
    width, step = WIDTH - LEFT - RIGHT - 60, (ROW - 10) / ((most - least) or 1)
    points = " ".join(f"{LEFT + at / end * width:.1f},{bottom - (value - least) * step:.1f}" for at, value in values)
    yield f'<text x="{LEFT - 10}" y="{bottom - 2}" text-anchor="end" fill="#1c2733">{escape(name)}</text>'
    yield f'<polyline points="{points}" fill="none" stroke="#2f6f8f" stroke-width="1.5"/>'
    span = f"{least:,.0f}" if least == most else f"{least:,.0f} - {most:,.0f}"
    yield f'<text x="{WIDTH - 8}" y="{bottom - 2}" text-anchor="end" fill="#5a6772">{span}</text>'
