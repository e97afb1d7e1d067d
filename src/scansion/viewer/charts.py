"""Charts as shapes with places: score against cost, lines with their names at the end, small panels, intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf

from scansion.viewer.scales import Scale
from scansion.viewer.svg import LETTER, Box, Drawing, Mark, Stroke, Words, beside, shape_of, spread

WIDTH, HEIGHT = 430.0, 300.0
PANEL_WIDTH, PANEL_HEIGHT, CALIBRATED_HEIGHT = 230.0, 160.0, 200.0
STRIP_WIDTH, STRIP_HEIGHT = 200.0, 20.0
NumberFormat = Callable[[float], str]


@dataclass(frozen=True)
class Point:
    """A value at a place along the chart, and its interval if it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """A family's points; ``number`` gives it its mark, and ``kind`` ``chosen`` or ``baseline`` its colour."""

    name: str
    number: int
    points: tuple[Point, ...]
    kind: str = ""


@dataclass(frozen=True)
class Axis:
    """What a direction shows: in words, how its values are written, and whether it is in ratios."""

    title: str
    shown: NumberFormat
    logarithmic: bool = False


def scatter(series: Sequence[Series], across: Axis, up: Axis, label: str) -> Drawing:
    """One point a family with its interval, named beside it."""
    points = [each.points[0] for each in series]
    room = LETTER * max(len(each.name) for each in series) + 12
    frame = (48.0, 26.0, WIDTH - min(room, 150.0), HEIGHT - 42)
    x, y = _scales(points, (frame[0] + 32, *frame[1:]), across, up)  # room for a name above the first
    places = [(x(point.x), y(point.y), each.name) for each, point in zip(series, points, strict=True)]
    strokes, bars = [], []
    for each, point in zip(series, points, strict=True):
        if point.low is not None and point.high is not None:
            strokes.append(Stroke(f"{x(point.x)},{y(point.low)} {x(point.x)},{y(point.high)}", each.kind))
            bars.append((y(point.high), y(point.low)))
        else:
            bars.append((y(point.y), y(point.y)))
    marks = [
        Mark(x(point.x), y(point.y), shape_of(each.number), _said(each.name, point, across, up), each.kind)
        for each, point in zip(series, points, strict=True)
    ]
    kinds = {each.name: each.kind for each in series}
    names = [
        Words(each.x, each.y, each.words, each.anchor, kinds[each.words])
        for each in beside(places, bars, (frame[0], frame[1] - 12, WIDTH, frame[3]))
    ]
    grid, ticks = _grid(x, y, frame, across, up)
    return Drawing(WIDTH, HEIGHT, label, (), (*grid, *strokes), tuple(marks), (*ticks, *names))


def lines(series: Sequence[Series], across: Axis, up: Axis, label: str) -> Drawing:
    """A line a family, named at its end."""
    room = LETTER * max(len(each.name) for each in series) + 22
    frame = (48.0, 26.0, WIDTH - room, HEIGHT - 42)
    bare = [Point(point.x, point.y) for each in series for point in each.points]
    x, y = _scales(bare, frame, across, up)
    ends = [(x(each.points[-1].x), y(each.points[-1].y)) for each in series]
    heights = spread([end[1] for end in ends], 15, frame[1], frame[3])
    strokes, marks, names = [], [], []
    for each, end, height in zip(series, ends, heights, strict=True):
        strokes.append(Stroke(" ".join(f"{x(point.x)},{y(point.y)}" for point in each.points), each.kind))
        strokes.append(Stroke(f"{end[0] + 7},{end[1]} {frame[2] + 12},{height}", "leader"))
        names.append(Words(frame[2] + 16, height + 4, each.name, "start", each.kind))
        marks += [
            Mark(x(point.x), y(point.y), shape_of(each.number), _said(each.name, point, across, up), each.kind)
            for point in each.points
        ]
    grid, ticks = _grid(x, y, frame, across, up)
    return Drawing(WIDTH, HEIGHT, label, (), (*grid, *strokes), tuple(marks), (*ticks, *names))


def panels(series: Sequence[Series], across: Axis, up: Axis, label: str) -> list[Drawing]:
    """A small chart for each family: its line and the band of its intervals, the others' lines faint behind it.

    A band is cut where it goes further beyond all scores than these lie apart, or they would be pressed into one line.
    """
    frame = (36.0, 10.0, PANEL_WIDTH - 8, PANEL_HEIGHT - 24)
    scores = [point.y for each in series for point in each.points]
    beyond = max(scores) - min(scores)
    lowest, highest = (min(scores) - beyond, max(scores) + beyond) if beyond else (-inf, inf)
    cut = [_within(each, lowest, highest) for each in series]
    x, y = _scales([point for each in cut for point in each.points], frame, across, up)
    grid, ticks = _grid(x, y, frame, across, up, small=True)
    faint = {
        each.name: Stroke(" ".join(f"{x(point.x)},{y(point.y)}" for point in each.points), "behind") for each in series
    }
    drawn = []
    for each, inside in zip(series, cut, strict=True):
        whole = [
            (point.x, point.low, point.high) for point in inside.points
            if point.low is not None and point.high is not None
        ]
        band = [f"{x(at)},{y(high)}" for at, _, high in whole] + [f"{x(at)},{y(low)}" for at, low, _ in reversed(whole)]
        marks = tuple(
            Mark(x(point.x), y(point.y), shape_of(each.number), _said(each.name, point, across, up), each.kind, 0.75)
            for point in each.points
        )
        behind = [stroke for name, stroke in faint.items() if name != each.name]
        drawn.append(Drawing(
            PANEL_WIDTH, PANEL_HEIGHT, f"{label}: {each.name}", (Stroke(" ".join(band), each.kind),) if band else (),
            (*grid, *behind, Stroke(faint[each.name].points, each.kind)), marks, tuple(ticks),
        ))
    return drawn


def calibrated(
    series: Series, begin: float, ends: tuple[float, float], shown: NumberFormat, counts: Sequence[int], label: str
) -> Drawing:
    """Predicted across, true up, between ``ends``; the larger a point the more of ``counts`` stand behind it.

    ``begin`` is where the predicted begin.
    """
    frame = (40.0, 10.0, PANEL_WIDTH - 8, CALIBRATED_HEIGHT - 24)
    x, y = Scale(begin, ends[1], frame[0], frame[2]), Scale(*ends, frame[3], frame[1])
    axis = Axis("", shown)
    grid, ticks = _grid(x, y, frame, axis, axis, small=True)
    strokes, marks = [Stroke(f"{x(begin)},{y(begin)} {x(ends[1])},{y(ends[1])}", "ideal")], []
    for point, count in zip(series.points, counts, strict=True):
        if point.low is not None and point.high is not None:
            low, high = max(ends[0], point.low), min(ends[1], point.high)
            strokes.append(Stroke(f"{x(point.x)},{y(low)} {x(point.x)},{y(high)}", series.kind))
        said = f"predicted {shown(point.x)}, true {shown(point.y)} ({count:,})"
        scale = 0.45 + 1.1 * (count / max(counts)) ** 0.5
        marks.append(Mark(x(point.x), y(point.y), shape_of(0), said, series.kind, round(scale, 2)))
    return Drawing(PANEL_WIDTH, CALIBRATED_HEIGHT, label, (), (*grid, *strokes), tuple(marks), tuple(ticks))


def strip(point: Point, scale: Scale, kind: str, number: int, said: str) -> Drawing:
    """An interval as a line with its mark; one off the scale is pointed at from the end it lies beyond."""
    middle = STRIP_HEIGHT / 2
    if not scale.low <= point.y <= scale.high or point.low is None or point.high is None:
        end, back = (scale.end, -6) if point.y > scale.high else (scale.begin, 6)
        arrow = Stroke(f"{end + back},{middle - 4} {end},{middle} {end + back},{middle + 4}", kind)
        return Drawing(STRIP_WIDTH, STRIP_HEIGHT, said, (), (arrow,))
    low, high = scale(max(scale.low, point.low)), scale(min(scale.high, point.high))
    line = Stroke(f"{low},{middle} {high},{middle}", kind)
    mark = Mark(scale(point.y), middle, shape_of(number), said, kind)
    return Drawing(STRIP_WIDTH, STRIP_HEIGHT, said, (), (line,), (mark,))


def strip_axis(scale: Scale, shown: NumberFormat) -> Drawing:
    """The ticks below a column of strips."""
    ticks = scale.ticks(4)
    line = Stroke(f"{scale.begin},2 {scale.end},2", "axis")
    return Drawing(
        STRIP_WIDTH, STRIP_HEIGHT, "the scale of the intervals", (),
        (line, *(Stroke(f"{scale(t)},2 {scale(t)},6", "axis") for t in ticks)),
        (), tuple(Words(scale(tick), 18, shown(tick), "middle", "tick") for tick in ticks),
    )


def _within(series: Series, lowest: float, highest: float) -> Series:
    points = tuple(
        point if point.low is None or point.high is None
        else replace(point, low=max(lowest, point.low), high=min(highest, point.high))
        for point in series.points
    )
    return replace(series, points=points)


def _scales(points: Sequence[Point], frame: Box, across: Axis, up: Axis) -> tuple[Scale, Scale]:
    heights = [value for point in points for value in (point.y, point.low, point.high) if value is not None]
    return (
        Scale.over([point.x for point in points], frame[0], frame[2], across.logarithmic),
        Scale.over(heights, frame[3], frame[1], up.logarithmic),
    )


def _grid(
    x: Scale, y: Scale, frame: Box, across: Axis, up: Axis, small: bool = False
) -> tuple[list[Stroke], list[Words]]:
    left, _, right, bottom = frame
    strokes, words = [], []
    for tick in y.ticks(4 if small else 6):
        strokes.append(Stroke(f"{left},{y(tick)} {right},{y(tick)}", "axis"))
        words.append(Words(left - 6, y(tick) + 4, up.shown(tick), "end", "tick"))
    for tick in x.ticks(3 if small else 6):
        strokes.append(Stroke(f"{x(tick)},{bottom} {x(tick)},{bottom + 4}", "axis"))
        words.append(Words(x(tick), bottom + 17, across.shown(tick), "middle", "tick"))
    strokes.append(Stroke(f"{left},{bottom} {right},{bottom}", "axis"))
    if not small:
        words.append(Words(0, 12, up.title, "start", "tick"))
        words.append(Words(right, bottom + 35, across.title, "end", "tick"))
    return strokes, words


def _said(name: str, point: Point, across: Axis, up: Axis) -> str:
    interval = "" if point.low is None or point.high is None else f" ({up.shown(point.low)} to {up.shown(point.high)})"
    return f"{name}: {up.shown(point.y)}{interval} {up.title} at {across.shown(point.x)} {across.title}"
