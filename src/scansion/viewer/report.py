"""The page of a comparison, from the plain values of ``report.json``: every number on it stands there too."""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any

from scansion.viewer.charts import (
    STRIP_WIDTH,
    Axis,
    NumberFormat,
    Point,
    Series,
    calibrated,
    lines,
    panels,
    scatter,
    strip,
    strip_axis,
)
from scansion.viewer.number_format import (
    bytes_shown,
    difference_shown,
    measure_shown,
    options_shown,
    processor_shown,
    rate_shown,
    score_shown,
    seconds_shown,
)
from scansion.viewer.page import page
from scansion.viewer.report_answers import answer_shown, confused, split_rows
from scansion.viewer.scales import Scale
from scansion.viewer.svg import Drawing

Report = Mapping[str, Any]
SIGNIFICANT, EVEN = 0.05, 0.5
RANKS = (
    "Families that share a letter are not significantly different from each other, and families that share none are. "
    "Of those of one rank, none is significantly different from another."
)


def report_page(report: Report) -> str:
    """``report.html``: one file that needs nothing else and no script."""
    good = [row for row in report["rows"] if row["status"] == "ok"]
    hundredths = report["in_hundredths"]
    return page("report.html", {
        "report": report, "good": good, "ranks": RANKS, "metric": measure_shown(report["metric"]),
        "title": _title(report), "strips": _strips(report, good), "cost": _costs(report, good),
        "length": _length(report, good), "curve": _curve(report, good), "calibration": _calibration(report),
        "confusion": confused(report), "split_rows": split_rows(report), "pairs": _pairs(report),
        "score": lambda value: score_shown(value, hundredths),
        "signed": lambda value: difference_shown(value, hundredths),
        "share": lambda value: score_shown(value, True), "plain": answer_shown, "seconds": seconds_shown,
        "processor": processor_shown, "rate": rate_shown, "measure": measure_shown, "size": bytes_shown,
        "options": options_shown, "unit": "points" if hundredths else "",
        "seeds": max((row["seeds"] for row in good), default=0),
    })


def _title(report: Report) -> str:
    family = report["verdict"]["family"]
    if family is None:
        return "No family to choose"
    return f"Use {family}" if family != report["baseline"] else f"No family beats the {family} baseline"


def _series(report: Report, good: Sequence[Report]) -> dict[str, Series]:
    """Every family with its mark and colour, without points."""
    chosen, baseline = report["verdict"]["family"], report["baseline"]
    return {
        row["family"]: Series(
            row["family"], number, (),
            "chosen" if row["family"] == chosen else "baseline" if row["family"] == baseline else "",
        )
        for number, row in enumerate(good)
    }


def _with(series: Series, points: Sequence[Point]) -> Series:
    return Series(series.name, series.number, tuple(points), series.kind)


def _rivals(report: Report, good: Sequence[Report]) -> Sequence[Report]:
    """All but the baseline, which would press them into one corner; it, if it is alone."""
    return [row for row in good if row["family"] != report["baseline"]] or good


def _score_axis(report: Report) -> Axis:
    return Axis(measure_shown(report["metric"]), _hundredths if report["in_hundredths"] else _digits)


def _hundredths(value: float) -> str:
    return f"{100 * value:.4g}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _thousands(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1_000 and value % 100 == 0 else f"{value:,.4g}"


def _strips(report: Report, good: Sequence[Report]) -> dict[str, Any]:
    """The intervals of the table, a drawing a family, and their axis."""
    if not good:
        return {"families": {}, "axis": None}
    scaled = _rivals(report, good)
    scale = Scale.over([row[end] for row in scaled for end in ("low", "high")], 8, STRIP_WIDTH - 8)
    shown = _score_axis(report).shown
    drawn = {}
    for name, series in _series(report, good).items():
        row = good[series.number]
        said = f"{name}: {shown(row['score'])}, 95 % interval {shown(row['low'])} to {shown(row['high'])}"
        drawn[name] = strip(Point(0, row["score"], row["low"], row["high"]), scale, series.kind, series.number, said)
    return {"families": drawn, "axis": strip_axis(scale, shown)}


def _costs(report: Report, good: Sequence[Report]) -> list[dict[str, Any]]:
    """Score against seconds to train, and against documents a second."""
    up, series = _score_axis(report), _series(report, good)
    asked = (
        ("fit_seconds", Axis("seconds to train, in ratios", _digits, True), "Further left trains faster."),
        ("documents_per_second", Axis("documents answered a second, in ratios", _thousands, True),
         "Further right answers faster."),
    )
    drawn = []
    for name, across, told in asked:
        rows = [row for row in _rivals(report, good) if row[name]]
        if rows:
            points = [
                _with(series[row["family"]], [Point(row[name], row["score"], row["low"], row["high"])]) for row in rows
            ]
            label = f"{up.title} against {across.title}"
            drawn.append({"drawing": scatter(points, across, up, label), "told": told})
    return drawn


def _length(report: Report, good: Sequence[Report]) -> dict[str, Any] | None:
    """Score and time by length; None where all texts are in one slice, which says nothing."""
    parts = report["by_length"]
    if len(parts) < 2 or not good:
        return None
    across, series = Axis("words in the text", _thousands, _in_ratios(parts)), _series(report, good)
    middles = [max(1.0, (part["least"] + part["most"]) / 2) for part in parts]
    rivals = [row["family"] for row in _rivals(report, good)]
    scored = [
        _with(series[name], [
            Point(middle, part["scores"][name], *part["intervals"][name])
            for middle, part in zip(middles, parts, strict=True)
        ])
        for name in rivals
    ]
    timed = [
        _with(series[name], [
            Point(middle, part["milliseconds"][name])
            for middle, part in zip(middles, parts, strict=True) if name in part["milliseconds"]
        ])
        for name in rivals
    ]
    timed = [each for each in timed if each.points]
    up = Axis("milliseconds a document, in ratios", _digits, True)
    return {
        "scores": _named(scored, panels(scored, across, _score_axis(report), "score by words")),
        "times": lines(timed, across, up, "milliseconds a document by its words") if timed else None,
    }


def _in_ratios(parts: Sequence[Report]) -> bool:
    return parts[-1]["most"] > 20 * max(1, parts[0]["most"])


def _named(series: Sequence[Series], drawings: Sequence[Drawing]) -> list[dict[str, Any]]:
    return [
        {"family": each.name, "drawing": drawn} for each, drawn in zip(series, drawings, strict=True)
    ]


def _curve(report: Report, good: Sequence[Report]) -> dict[str, Any] | None:
    """Score by labelled rows: lines, panels with intervals, and a table by size and family."""
    points = report["learning_curve"]["points"]
    if not points:
        return None
    families: dict[str, dict[int, Report]] = {}
    for point in points:
        families.setdefault(point["family"], {})[point["rows"]] = point
    known = _series(report, good)
    names = [name for name in known if name in families] + [name for name in families if name not in known]
    across = Axis("labelled rows, in ratios", _thousands, True)
    series = [
        _with(known.get(name, Series(name, len(known) + number, ())), [
            Point(rows, point["score"], point["low"], point["high"]) for rows, point in sorted(families[name].items())
        ])
        for number, name in enumerate(names)
    ]
    drawn = [each for each in series if each.name != report["baseline"]] or series
    up = _score_axis(report)
    return {
        "lines": lines(drawn, across, up, f"{up.title} by labelled rows"),
        "panels": _named(drawn, panels(drawn, across, up, f"{up.title} by labelled rows")),
        "sizes": sorted({point["rows"] for point in points}),
        "families": {name: families[name] for name in names},
    }


def _calibration(report: Report) -> list[dict[str, Any]]:
    """A drawing a family, all on one scale."""
    found = {name: each for name, each in report["calibration"].items() if name != report["baseline"]}
    numbers = report["task"] == "regress"
    series = _series(report, [row for row in report["rows"] if row["status"] == "ok"])
    begin, ends = _ends([part for each in found.values() for part in each["bins"]], numbers)
    shown: NumberFormat = _digits if numbers else _hundredths
    drawn = []
    for name, each in found.items():
        points = [Point(part["predicted"], part["true"], part["low"], part["high"]) for part in each["bins"]]
        counts = [part["count"] for part in each["bins"]]
        label = f"predicted and true: {name}"
        drawn.append({
            "family": name, "error": each["error"], "bins": each["bins"],
            "drawing": calibrated(_with(series[name], points), begin, ends, shown, counts, label),
        })
    return drawn


def _ends(bins: Sequence[Report], numbers: bool) -> tuple[float, tuple[float, float]]:
    """Where the predicted begin, and where the true begin and both end."""
    if not bins:
        return 0.0, (0.0, 1.0)
    if numbers:
        scale = Scale.over([part[name] for part in bins for name in ("predicted", "true")], 0, 1)
        return scale.low, (scale.low, scale.high)
    begin = EVEN if min(part["predicted"] for part in bins) >= EVEN else 0.0  # of two labels, none is less likely
    return begin, (min(begin, floor(10 * min(part["low"] for part in bins)) / 10), 1.0)


def _pairs(report: Report) -> dict[str, list[Report]]:
    """The tests that the verdict rests on, those with its family in them, and the others."""
    chosen = report["verdict"]["family"]
    told = [{**pair, "significant": pair["adjusted_p_value"] < SIGNIFICANT} for pair in report["pairs"]]
    return {
        "chosen": [pair for pair in told if chosen in pair["families"]],
        "others": [pair for pair in told if chosen not in pair["families"]],
    }
