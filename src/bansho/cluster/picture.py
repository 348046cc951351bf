"""The sequence of a logical host's resources as a picture: SVG, no script, no font to fetch. Pure."""

from collections.abc import Iterator
from html import escape

from bansho.cluster.model import Model, Resource

WIDTH, BOX, ROW, TOP = 640, 44, 76, 60
LEFT, RIGHT = 150, 490
START, STOP, INK = "#2f6f8f", "#9a5b2c", "#1c2733"


def svg(model: Model) -> str:
    """One box a resource, the start order down the left side, the stop order up the right one."""
    height = TOP + ROW * len(model.resources)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        f' font-size="13" role="img" aria-label="start {" then ".join(model.start_order)}; stop is the reverse">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        *_text(WIDTH / 2, 28, f"logical host {model.name}", INK, size=16),
        *_text(LEFT - 60, TOP - 8, "start", START),
        *_text(RIGHT + 60, TOP - 8, "stop", STOP),
        *(line for row, resource in enumerate(model.resources) for line in _box(row, resource, len(model.resources))),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(row: int, resource: Resource, rows: int) -> Iterator[str]:
    y = TOP + row * ROW
    middle = y + BOX / 2
    limits = resource.limits
    yield (f'<rect x="{LEFT}" y="{y}" width="{RIGHT - LEFT}" height="{BOX}" rx="6" fill="#eef3f6" stroke="{INK}"/>')
    yield from _text(WIDTH / 2, middle - 3, resource.id, INK)
    yield from _text(WIDTH / 2, middle + 14, resource.kind.value, "#5a6772")
    yield from _text(LEFT - 60, middle + 4, f"{row + 1}.  {limits['start'].seconds} s", START)
    yield from _text(RIGHT + 60, middle + 4, f"{rows - row}.  {limits['stop'].seconds} s", STOP)
    if row + 1 < rows:
        yield from _arrow(LEFT - 60, y + BOX - 6, y + ROW + 4, START)
        yield from _arrow(RIGHT + 60, y + ROW + 4, y + BOX - 6, STOP)


def _arrow(x: int, begin: float, end: float, colour: str) -> Iterator[str]:
    barb = end + (6 if end < begin else -6)
    path = f"M{x} {begin} V{end} M{x - 5} {barb} L{x} {end} L{x + 5} {barb}"
    yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _text(x: float, y: float, text: str, colour: str, size: int = 13) -> Iterator[str]:
    yield f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="{colour}" font-size="{size}">{escape(text)}</text>'
