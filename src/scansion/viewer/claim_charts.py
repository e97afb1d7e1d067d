"""Pictures of what experiments found: curves with the bands of their intervals, and matrices as cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scansion.viewer.number_format import figure_shown
from scansion.viewer.scales import Scale
from scansion.viewer.svg import LETTER, Drawing, Mark, Stroke, Words, shape_of, spread

WIDTH, HEIGHT = 500.0, 320.0
LEFT, TOP, BOTTOM = 54.0, 30.0, HEIGHT - 44
MOST_NAME = 215.0
MOST_MARKS, COLOURS = 16, 7
NEARLY_ALL = 0.85  # a share beyond which the scale goes up to all
CELL, GAP, TITLE = 22.0, 4.0, 24.0
FAMILIES = ("RNN", "LSTM", "Transformer", "bag of words", "n-grams", "GRU")
"""Each has one colour in every picture in which it stands once."""

Picture = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """A square of a matrix: how dark it is, from 0 to 1, and whether theory asks for it."""

    x: float
    y: float
    side: float
    shade: float
    marked: bool
    title: str


@dataclass(frozen=True)
class CellDrawing:
    """A matrix as it is drawn."""

    width: float
    height: float
    label: str
    cells: tuple[Cell, ...]
    words: tuple[Words, ...]


def drawings(picture: Picture) -> list[Drawing | CellDrawing]:
    """What a picture is drawn as: curves on one chart, matrices each by itself."""
    if picture["kind"] == "matrices":
        return [matrix_drawing(picture, each) for each in picture["matrices"]]
    return [line_drawing(picture)]


def line_drawing(picture: Picture) -> Drawing:
    """The curves with their bands, each named at its end; what lies below ``lowest`` is left out."""
    curves = [(each, _visible(each["points"], picture)) for each in picture["curves"]]
    curves = [(each, points) for each, points in curves if points]
    right = WIDTH - min(MOST_NAME, LETTER * max(len(each["name"]) for each, _ in curves) + 22)
    x, y = _scales([point for _, points in curves for point in points], picture, right)
    colours = colours_of([each["name"] for each, _ in curves])
    heights = spread([y(points[-1]["y"]) for _, points in curves], 15, TOP, BOTTOM)
    areas, strokes, marks, words = [], *_grid(x, y, right, picture)
    for number, ((each, points), height) in enumerate(zip(curves, heights, strict=True)):
        kind = "theory" if each["theory"] else colours[number]
        band = [point for point in points if point["low"] is not None]
        if len(band) > 1:
            edge = [(point["x"], point["high"]) for point in band] + [(p["x"], p["low"]) for p in reversed(band)]
            areas.append(Stroke(" ".join(f"{x(at)},{y(_within(value, y))}" for at, value in edge), kind))
        strokes.append(Stroke(" ".join(f"{x(point['x'])},{y(point['y'])}" for point in points), kind))
        end = x(points[-1]["x"]), y(points[-1]["y"])
        strokes.append(Stroke(f"{end[0] + 6},{end[1]} {right + 10},{height}", "leader"))
        words.append(Words(right + 14, height + 4, each["name"], "start", kind))
        if not each["theory"]:
            every = -(-len(points) // MOST_MARKS)
            marks += [
                Mark(x(point["x"]), y(point["y"]), shape_of(number), _said(each["name"], point, picture), kind, 0.8)
                for point in points[::every]
            ]
    return Drawing(WIDTH, HEIGHT, f"{picture['title']}: {picture['sentence']}", tuple(areas), tuple(strokes),
                   tuple(marks), tuple(words))


def colours_of(names: Sequence[str]) -> list[str]:
    """The colour of each curve: its family's, where no two are of one family, else one after the other."""
    known = [next((i for i, each in enumerate(FAMILIES) if name.startswith(each)), -1) for name in names]
    alone = -1 not in known and len(set(known)) == len(known)
    return [f"c{(family if alone else number) % COLOURS}" for number, family in enumerate(known)]


def _visible(points: Sequence[Picture], picture: Picture) -> list[Picture]:
    lowest = picture["lowest"]
    return [point for point in points if lowest is None or point["y"] >= lowest]


def _within(value: float, scale: Scale) -> float:
    return max(scale.low, min(scale.high, value))


def _scales(points: Sequence[Picture], picture: Picture, right: float) -> tuple[Scale, Scale]:
    """Bands of a logarithmic picture do not stretch it."""
    heights = [point["y"] for point in points]
    if not picture["logarithmic_up"]:
        heights += [point[end] for point in points for end in ("low", "high") if point[end] is not None]
    if picture["unit"] == "%":
        heights.append(1.0 if max(heights) > NEARLY_ALL else max(heights))
    return (
        Scale.over([point["x"] for point in points], LEFT, right, picture["logarithmic_across"]),
        Scale.over(heights, BOTTOM, TOP, picture["logarithmic_up"]),
    )


def _grid(x: Scale, y: Scale, right: float, picture: Picture) -> tuple[list[Stroke], list[Mark], list[Words]]:
    strokes, words = [], [Words(0, 14, picture["up"], "start", "tick")]
    for tick in y.ticks(6):
        if picture["unit"] == "%" and tick > 1:
            continue
        strokes.append(Stroke(f"{LEFT},{y(tick)} {right},{y(tick)}", "axis"))
        words.append(Words(LEFT - 7, y(tick) + 4, figure_shown(tick, picture["unit"], tick=True), "end", "tick"))
    for at in _ticks_across(x, picture):
        strokes.append(Stroke(f"{x(at)},{BOTTOM} {x(at)},{BOTTOM + 4}", "axis"))
        words.append(Words(x(at), BOTTOM + 18, figure_shown(at, "", tick=True), "middle", "tick"))
    strokes.append(Stroke(f"{LEFT},{BOTTOM} {right},{BOTTOM}", "axis"))
    words.append(Words(right, BOTTOM + 37, picture["across"], "end", "tick"))
    return strokes, [], words


def _ticks_across(x: Scale, picture: Picture) -> list[float]:
    """The measured places themselves where they are few, else round numbers."""
    places = sorted({point["x"] for each in picture["curves"] if not each["theory"] for point in each["points"]})
    widths = {place: LETTER * len(figure_shown(place, "", tick=True)) for place in places}
    if len(places) <= 8 and all(x(b) - x(a) > (widths[a] + widths[b]) / 2 for a, b in pairwise(places)):
        return places
    return x.ticks(6)


def _said(name: str, point: Picture, picture: Picture) -> str:
    value, unit = figure_shown(point["y"], picture["unit"]), picture["unit"]
    ends = [] if point["low"] is None else [figure_shown(point[end], unit) for end in ("low", "high")]
    span = f" ({' to '.join(ends)})" if ends else ""
    return f"{name}: {value}{span} at {figure_shown(point['x'], '')} {picture['across']}"


def matrix_drawing(picture: Picture, matrix: Picture) -> CellDrawing:
    """A matrix as squares, darker where the number is greater, its rows and columns named where there is room."""
    rows, columns, values = matrix["rows"], matrix["columns"], matrix["values"]
    named = max(len(rows), len(columns)) <= 12
    side = CELL if named else max(5.0, 280 / max(len(rows), len(columns)))
    room = (max(map(len, rows)) * LETTER * 0.9 + 6, max(map(len, columns)) * LETTER * 0.9 + 6) if named else (8.0, 8.0)
    least, span = picture["least"], picture["most"] - picture["least"]
    marked = {tuple(each) for each in matrix["marked"]}
    cells = tuple(
        Cell(round(room[0] + column * side, 1), round(TITLE + column_room(room, named) + row * side, 1), round(side, 1),
             round(max(0.0, min(1.0, (value - least) / span)), 2), (row, column) in marked,
             f"{rows[row]}, {columns[column]}: {value:.2f}")
        for row, each in enumerate(values) for column, value in enumerate(each)
    )
    top = TITLE + column_room(room, named)
    words = [Words(room[0], 14, matrix["name"], "start", "heading")]
    if named:
        words += [Words(room[0] - 5, top + (row + 0.65) * side, name, "end", "tick") for row, name in enumerate(rows)]
        words += [
            Words(room[0] + (place + 0.5) * side, top - 6, name, "middle", "tick") for place, name in enumerate(columns)
        ]
    width = max(room[0] + len(columns) * side + GAP, room[0] + LETTER * len(matrix["name"]))
    return CellDrawing(round(width, 1), round(top + len(rows) * side + GAP, 1),
                       f"{picture['title']}: {matrix['name']}", cells, tuple(words))


def column_room(room: tuple[float, float], named: bool) -> float:
    """Above the cells: one line for the names of the columns."""
    return 18.0 if named else 0.0
