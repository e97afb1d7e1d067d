"""Training curves: the lines of ``metrics.jsonl`` as one SVG picture, as good in the dark as in the light.

It fetches nothing and runs nothing, whatever the lines hold, and a run of any length is thinned to a few hundred
points.  Its colours are those of ``page.css``, written out: not every program that shows pictures knows variables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from markupsafe import escape

from scansion.viewer.scales import Scale

WIDTH, LEFT, RIGHT, HEADER, FOOTER, GAP = 760, 60, 684, 78, 56, 46
MOST_DOTS, MOST_ON_A_LINE, MOST_EPOCHS = 240, 150, 150
NEARBY = 0.012  # the standard deviation of what a mean is over, as a share of the run
FEWEST_SHARE_TO_FORESEE = 0.02
LARGEST = 1e100
CROWDED, FEW = 40, 100  # epochs beyond which their dots are small; steps up to which theirs are large

Line = Mapping[str, Any]
Points = list[tuple[float, float]]

STYLE = """
svg.curves text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  fill: #1f1e1b; font-variant-numeric: tabular-nums; }
svg.curves .title { font: 600 21px Charter, "Bitstream Charter", "Iowan Old Style", Georgia, "DejaVu Serif", serif; }
svg.curves .head { font-weight: 600; font-size: 13px; }
svg.curves .soft, svg.curves .tick { fill: #5f5c55; }
svg.curves .tick { font-size: 11px; }
svg.curves .strong { fill: #2a4d9b; font-weight: 600; }
.paper { fill: #fcfbf8; }
.grid { stroke: #dedbd2; stroke-width: 1; shape-rendering: crispEdges; }
.dots { stroke: #5f5c55; stroke-opacity: .34; stroke-width: 2.6; stroke-linecap: round; fill: none; }
.few { stroke-width: 4; }
.loss { stroke: #1f1e1b; stroke-width: 1.8; stroke-linejoin: round; fill: none; }
.rate { stroke: #5f5c55; stroke-width: 1.4; stroke-linejoin: round; fill: none; }
.error { stroke: #2a4d9b; stroke-width: 1.5; stroke-linejoin: round; fill: none; }
.guide { stroke: #2a4d9b; stroke-width: 1; stroke-dasharray: 2 3; }
.epoch { stroke: #2a4d9b; stroke-width: 1.5; fill: #fcfbf8; }
.kept { stroke: #fcfbf8; stroke-width: 1.5; fill: #2a4d9b; }
@media (prefers-color-scheme: dark) {
  svg.curves text { fill: #ece9e2; }
  svg.curves .soft, svg.curves .tick { fill: #aca89e; }
  svg.curves .strong { fill: #9db8f2; }
  .paper { fill: #161614; }
  .grid { stroke: #3a3934; }
  .dots, .rate { stroke: #aca89e; }
  .loss { stroke: #ece9e2; }
  .error, .guide { stroke: #9db8f2; }
  .epoch { stroke: #9db8f2; fill: #161614; }
  .kept { stroke: #161614; fill: #9db8f2; }
}
"""


@dataclass(frozen=True)
class Measured:
    """What there is to draw: places along the run in steps, all numbers finite."""

    losses: Points
    rates: Points
    epochs: list[Line]
    kept: int | None
    """The epoch whose weights are kept, so far."""
    end: float
    """Steps that the run has, or as far as it can be foreseen, will have."""


@dataclass(frozen=True)
class Panel:
    """Where a part of the picture stands: its upper and lower edge, and the scale between them."""

    top: float
    bottom: float
    scale: Scale


def curves(title: str, lines: Sequence[Line]) -> str:
    """The picture of a run, an SVG document.

    ``lines`` are those of :mod:`scansion.storage.metrics`; what a line lacks is left out.
    """
    measured, state = _measured(lines), _state(lines)
    across = Scale(0.0, measured.end, LEFT, RIGHT)
    parts, top = [], HEADER
    for height, draw in ((170, _losses), (126, _errors), (44, _rates)):
        drawn = draw(measured, across, top + GAP, top + GAP + height)
        if drawn:
            parts += drawn
            top += GAP + height
    if parts:
        parts += _steps_axis(across, top)
    height = top + FOOTER
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curves" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="curves-title curves-state">',
        f'<title id="curves-title">Training curves: {_text(title)}</title>',
        f'<desc id="curves-state">{_text(_described(measured, state))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="44">{_text(title)}</text>',
        f'<text class="soft" x="{LEFT}" y="66">{_text(state)}</text>',
        *parts, "</svg>", "",
    ])


# What the lines say


def _measured(lines: Sequence[Line]) -> Measured:
    lines = [line for line in lines if 0 < (_number(line.get("step")) or 0) < LARGEST]
    steps = [line for line in lines if line.get("event") == "step"]
    epochs = [
        line for line in lines
        if line.get("event") == "epoch" and None not in map(_number, map(line.get, ("held_out_error", "epoch")))
    ]
    ends = [line for line in lines if line.get("event") == "end"]
    kept = [line["epoch"] for line in epochs if line.get("kept")] + [line.get("epoch") for line in ends]
    last = float(max((line["step"] for line in lines), default=1))
    progress = _number(steps[-1].get("progress")) if steps else None
    if not ends and progress is not None and FEWEST_SHARE_TO_FORESEE <= progress < 1:
        last = max(last, steps[-1]["step"] / progress)
    return Measured(
        _points(steps, "loss"), _points(steps, "learning_rate"), epochs, kept[-1] if kept else None, last
    )


def _points(lines: Sequence[Line], name: str) -> Points:
    pairs = [(float(line["step"]), _number(line.get(name))) for line in lines]
    return [(step, value) for step, value in pairs if value is not None]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < LARGEST and isfinite(value) else None


def _state(lines: Sequence[Line]) -> str:
    """How far the run is, or how it ended, in a sentence."""
    if not lines:
        return "nothing is measured yet"
    last, timed = lines[-1], [line for line in lines if _number(line.get("seconds")) is not None]
    took = f" in {_duration(timed[-1]['seconds'])}" if timed else ""
    if last.get("event") == "end":
        return (f"{last.get('ended')}: {_whole(last.get('step'))} steps{took}; "
                f"kept epoch {last.get('epoch')} of {last.get('epochs')}")
    said = [f"epoch {last.get('epoch')}, step {_whole(last.get('step'))}{took}"]
    steps = [line for line in lines if line.get("event") == "step"]
    progress, speed = (_number(steps[-1].get(name)) if steps else None for name in ("progress", "tokens_per_second"))
    if progress is not None:
        said.append(f"{progress:.0%} of the way")
    if speed is not None:
        said.append(f"{float(f'{speed:.2g}'):,.0f} tokens a second")
    return " · ".join(said)


def _described(measured: Measured, state: str) -> str:
    said = [state]
    if measured.losses:
        said.append(f"training loss {_short(measured.losses[0][1])} at first, {_short(_mean(measured.losses)[-1][1])} "
                    "at last")
    if measured.epochs:
        said.append(f"held-out error {_short(measured.epochs[0]['held_out_error'])} after the first epoch, "
                    f"{_short(measured.epochs[-1]['held_out_error'])} after the last")
    return "; ".join(said) + "."


# The panels


def _losses(measured: Measured, across: Scale, top: float, bottom: float) -> list[str]:
    """Training loss: a dot a step, and a line through their mean nearby."""
    if not measured.losses:
        return []
    line = _mean(measured.losses)
    values = np.array([loss for _, loss in measured.losses])
    low, high = np.percentile(values, [1, 99])  # a single leap must not flatten the rest
    means = [mean for _, mean in line]
    panel = Panel(top, bottom, Scale.over([float(low), float(high), *means], bottom, top))
    size = " few" * (len(measured.losses) <= FEW)
    dots = [(x, y) for x, y in _thin(measured.losses, MOST_DOTS) if panel.scale.low <= y <= panel.scale.high]
    note = "a dot is one step, the line the mean of those around it"
    return [
        *_frame(panel, "training loss", note),
        f'<path class="dots{size}" d="{"".join(f"M{across(x)} {panel.scale(y)}h0" for x, y in dots)}"/>',
        f'<path class="loss" d="{_path(line, across, panel.scale)}"/>',
        _at_the_end(across(line[-1][0]), panel.scale(means[-1]), means[-1], "head"),
    ]


def _errors(measured: Measured, across: Scale, top: float, bottom: float) -> list[str]:
    """Held-out error: a dot an epoch, and which one is kept."""
    if not measured.epochs:
        return []
    points = [(float(line["step"]), float(line["held_out_error"])) for line in measured.epochs]
    panel = Panel(top, bottom, Scale.over([error for _, error in points], bottom, top))
    is_kept = [line["epoch"] == measured.kept for line in measured.epochs]
    drawn = set(_spread([step for step, _ in points], MOST_EPOCHS)) | set(np.flatnonzero(is_kept))
    chosen = [points[i] for i in sorted(drawn)]
    radius = 3.5 if len(chosen) <= CROWDED else 2
    parts = [*_frame(panel, "held-out error"), f'<path class="error" d="{_path(chosen, across, panel.scale)}"/>']
    for i in sorted(drawn, key=lambda i: is_kept[i]):  # the kept one above the others
        x, y = across(points[i][0]), panel.scale(points[i][1])
        said = _text(_epoch_said(measured.epochs[i], is_kept[i]))
        if is_kept[i]:
            parts.append(_kept_mark(measured.epochs[i], x, y, panel))
        shape = 'class="kept" r="5.5"' if is_kept[i] else f'class="epoch" r="{radius}"'
        parts.append(f'<circle {shape} cx="{x}" cy="{y}"><title>{said}</title></circle>')
    if not is_kept[-1]:
        parts.append(_at_the_end(across(points[-1][0]), panel.scale(points[-1][1]), points[-1][1], "soft"))
    return parts


def _epoch_said(line: Line, kept: bool) -> str:
    said = [f"epoch {line['epoch']}: held-out error {_short(line['held_out_error'])}"]
    if (loss := _number(line.get("training_loss"))) is not None:
        said.append(f"training loss {_short(loss)}")
    if (seconds := _number(line.get("seconds"))) is not None:
        said.append(f"after {_duration(seconds)}")
    return ", ".join(said + ["kept"] * kept)


def _kept_mark(line: Line, x: float, y: float, panel: Panel) -> str:
    """A guide from a dot up to what is said of it, in the row of the panel's name and clear of that."""
    said = f"epoch {line['epoch']} is kept: {_short(line['held_out_error'])}"
    anchor, place = ("end", min(x + 4, RIGHT)) if x > (LEFT + RIGHT) / 2 else ("start", max(x - 4, LEFT + 118))
    return (f'<path class="guide" d="M{x} {panel.top - 8}V{y}"/>'
            f'<text class="strong" x="{place}" y="{panel.top - 14}" text-anchor="{anchor}">{_text(said)}</text>')


def _rates(measured: Measured, across: Scale, top: float, bottom: float) -> list[str]:
    """The learning rate, thin: it is a plan and no result."""
    peak = max((rate for _, rate in measured.rates), default=0.0)
    if peak <= 0:
        return []
    scale = Scale(0.0, peak, bottom, top)
    line = [measured.rates[i] for i in _spread([step for step, _ in measured.rates], MOST_ON_A_LINE)]
    at = max(line, key=lambda point: point[1])
    return [
        f'<path class="grid" d="M{LEFT} {bottom}H{RIGHT}"/>',
        f'<text class="head" x="{LEFT}" y="{top - 14}">learning rate'
        f'<tspan class="soft" dx="8" font-weight="400">at most {_short(at[1])}</tspan></text>',
        f'<text class="tick" x="{LEFT - 8}" y="{bottom + 4}" text-anchor="end">0</text>',
        f'<path class="rate" d="{_path(line, across, scale)}"/>',
    ]


# Their furniture


def _frame(panel: Panel, name: str, note: str = "") -> list[str]:
    """A panel's name, and a hairline with its value wherever that is round."""
    said = f'<tspan class="soft" dx="8" style="font-weight: 400; font-size: 12px">{_text(note)}</tspan>' if note else ""
    parts = [f'<text class="head" x="{LEFT}" y="{panel.top - 14}">{_text(name)}{said}</text>']
    for value in panel.scale.ticks(5):
        y = panel.scale(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y}H{RIGHT}"/>'
                     f'<text class="tick" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:g}</text>')
    return parts


def _steps_axis(across: Scale, bottom: float) -> list[str]:
    ticks = [value for value in across.ticks(7) if value == int(value)]
    labels = [
        f'<text class="tick" x="{across(value)}" y="{bottom + 22}" text-anchor="middle">{value:,.0f}</text>'
        for value in ticks
    ]
    return [*labels, f'<text class="tick" x="{RIGHT}" y="{bottom + 40}" text-anchor="end">steps</text>']


def _at_the_end(x: float, y: float, value: float, kind: str) -> str:
    return f'<text class="{kind}" x="{x + 8}" y="{y + 4}">{_short(value)}</text>'


def _path(points: Points, across: Scale, scale: Scale) -> str:
    return "M" + " ".join(f"{across(x)} {scale(y)}" for x, y in points)


def _mean(points: Points) -> Points:
    """A mean of the values around some of the points, which are spread over all."""
    steps, values = (np.array(each) for each in zip(*points, strict=True))
    reach = float(np.ptp(steps))
    spread = max(min(1.0, 0.05 * reach), NEARBY * reach, 1e-3)
    chosen = _spread(steps.tolist(), MOST_ON_A_LINE)
    near = np.exp(-0.5 * ((steps[chosen, None] - steps) / spread) ** 2)
    means = values[0] + near @ (values - values[0]) / near.sum(axis=1)  # exactly the same where all values are
    return list(zip(steps[chosen].tolist(), means.tolist(), strict=True))


def _thin(points: Points, most: int) -> Points:
    return [points[i] for i in _spread([step for step, _ in points], most)]


def _spread(steps: Sequence[float], most: int) -> list[int]:
    """The numbers of at most so many points, spread evenly over the steps: the last of each stretch."""
    places = np.asarray(steps, np.float64)
    stretch = np.floor((places - places[0]) / max(1.0, float(np.ptp(places))) * (most - 1))
    return np.flatnonzero(np.append(np.diff(stretch) != 0, True)).tolist()


def _short(value: float) -> str:
    return f"{value:.3g}"


def _whole(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{seconds:.2g} s" if seconds < 10 else f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def _text(text: str) -> str:
    """Escaped, and without what no XML document may hold."""
    return str(escape("".join(each for each in text if each.isprintable())))
