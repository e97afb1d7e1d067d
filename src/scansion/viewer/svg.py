"""What a drawing is made of, and where words go so that none hides another."""

from collections.abc import Sequence
from dataclasses import dataclass

STEPS = (0, -9, 9, -18, 18, -28, 28, -40, 40)
LETTER, LINE = 7.8, 14.0  # width and height of a bold letter of 12.5 px, a little generously
SHAPES = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z", "M-3.6,-3.6h7.2v7.2h-7.2z", "M0,-4.8L4.6,3.4H-4.6z", "M0,-5L5,0L0,5L-5,0z",
    "M0,4.8L4.6,-3.4H-4.6z", "M-4,-1.4H-1.4V-4H1.4V-1.4H4V1.4H1.4V4H-1.4V1.4H-4z",
    "M-5,0L-2.5,-4.3H2.5L5,0L2.5,4.3H-2.5z",
    "M-4.4,-4.4L0,-1.6L4.4,-4.4L1.6,0L4.4,4.4L0,1.6L-4.4,4.4L-1.6,0z",
)
"""Marks that are told apart without colour, about 9 px wide, around (0, 0)."""


@dataclass(frozen=True)
class Words:
    """Text whose baseline begins, is centred or ends (``start``, ``middle``, ``end``) at a place."""

    x: float
    y: float
    words: str
    anchor: str = "start"
    kind: str = ""


@dataclass(frozen=True)
class Stroke:
    """A line through places, as SVG writes them."""

    points: str
    kind: str = ""


@dataclass(frozen=True)
class Mark:
    """A shape at a place; ``title`` is what it says when it is pointed at; ``scale`` is its size."""

    x: float
    y: float
    shape: str
    title: str
    kind: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class Drawing:
    """Everything of one chart; ``label`` is what it shows, for who cannot see it."""

    width: float
    height: float
    label: str
    areas: tuple[Stroke, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    marks: tuple[Mark, ...] = ()
    words: tuple[Words, ...] = ()


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def shape_of(number: int) -> str:
    """The mark of the family of this number; after eight they begin again."""
    return SHAPES[number % len(SHAPES)]


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places between ``low`` and ``high`` at least ``gap`` apart, moved as little as that takes.

    Least squares under the order: places less their number times the gap, pooled where they fall (Ayer et al. 1955).
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    pools: list[tuple[float, int]] = []  # a mean and how many it is of
    for rank, i in enumerate(order):
        mean, many = places[i] - rank * gap, 1
        while pools and pools[-1][0] > mean:
            before, some = pools.pop()
            mean, many = (before * some + mean * many) / (some + many), some + many
        pools.append((mean, many))
    flat = [mean for mean, many in pools for _ in range(many)]
    most = high - (len(places) - 1) * gap
    moved = [0.0] * len(places)
    for rank, i in enumerate(order):
        moved[i] = round(max(low, min(flat[rank], max(low, most))) + rank * gap, 1)
    return moved


def beside(points: Sequence[tuple[float, float, str]], bars: Sequence[tuple[float, float]], frame: Box) -> list[Words]:
    """A label for every (x, y, name) next to its mark, where it hides the least of marks, bars and other labels.

    ``bars`` are the top and bottom of each mark's interval.
    """
    obstacles = [(x - 5, y - 5, x + 5, y + 5) for x, y, _ in points]
    obstacles += [(x - 5, top - 2, x + 5, bottom + 2) for (x, _, _), (top, bottom) in zip(points, bars, strict=True)]
    labels = []
    for (x, y, name), (top, bottom) in zip(points, bars, strict=True):
        sides = [(dx, dy, anchor) for dy in STEPS for dx, anchor in ((9, "start"), (-9, "end"))]
        ends = [(0, min(top - y, -5) - 9, "middle"), (0, max(bottom - y, 5) + 9, "middle")]
        places: list[tuple[float, Words, Box]] = []
        for dx, dy, anchor in [*sides, *ends]:
            box = _box(x + dx, y + dy, LETTER * len(name), anchor)
            cost = _cost(box, obstacles, frame) + (abs(dy) if anchor != "middle" else 12) / 2
            places.append((cost, Words(x + dx, round(y + dy + 4, 1), name, anchor), box))
        _, words, box = min(places, key=lambda place: place[0])
        obstacles.append(box)
        labels.append(words)
    return labels


def _box(x: float, y: float, width: float, anchor: str) -> Box:
    left = x if anchor == "start" else x - width if anchor == "end" else x - width / 2
    return left, y - LINE / 2, left + width, y + LINE / 2


def _cost(box: Box, obstacles: Sequence[Box], frame: Box) -> float:
    """Square pixels covered, four times, and those outside the frame ten times."""
    inside = _shared(box, frame)
    area = (box[2] - box[0]) * (box[3] - box[1])
    return 10 * (area - inside) + 4 * sum(_shared(box, other) for other in obstacles)


def _shared(first: Box, second: Box) -> float:
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, across) * max(0.0, down)
