"""The page of the claims, from the plain values of ``claims.json``: every number on it stands there too."""

from collections.abc import Mapping
from typing import Any

from scansion.viewer.claim_charts import drawings
from scansion.viewer.number_format import bound_shown, figure_shown, interval_shown
from scansion.viewer.page import TEMPLATES, page

Report = Mapping[str, Any]
MARKS = {"holds": "●", "holds in part": "◐", "does not hold here": "○", "not decided": "–"}
STATES = {"met": "✓ met", "not met": "✗ not met", "open": "– open"}
MOST_CELLS = 400  # beyond them a matrix has no table


def claims_page(report: Report) -> str:
    """``claims.html``: one file that needs nothing else and no script; ``report`` may be of one finding alone."""
    claims = [
        {**each, "drawn": [{"picture": picture, "drawings": drawings(picture), "table": table_of(picture)}
                           for picture in each["measured"]["pictures"]]}
        for each in report["claims"]
    ]
    return page("claims.html", {"report": report, "claims": claims, **shown_by()})


def picture_file(picture: Report) -> str:
    """A picture as an SVG file of its own, for documents that show it as an image."""
    return TEMPLATES.get_template("claim_picture.svg").render(drawings=placed(drawings(picture)))


def shown_by() -> dict[str, Any]:
    """How templates write numbers and verdicts."""
    return {"shown": figure_shown, "interval": interval_shown, "bound": bound_shown, "marks": MARKS, "states": STATES}


def table_of(picture: Report) -> dict[str, Any] | None:
    """A picture's numbers as rows of cells under a head; None for a matrix of too many."""
    if picture["kind"] == "matrices":
        last = picture["matrices"][-1]
        if len(last["rows"]) * len(last["columns"]) > MOST_CELLS:
            return _thinned(last)
        return {
            "caption": f"{last['name']}: rows {picture['down']}, columns {picture['across']}",
            "head": ["", *last["columns"]],
            "rows": [[name, *(f"{value:.2f}" for value in row)]
                     for name, row in zip(last["rows"], last["values"], strict=True)],
        }
    places = sorted({point["x"] for each in picture["curves"] for point in each["points"]})
    found = [{point["x"]: point for point in each["points"]} for each in picture["curves"]]
    return {
        "caption": f"{picture['up']}, by {picture['across']}",
        "head": [picture["across"], *(each["name"] for each in picture["curves"])],
        "rows": [[figure_shown(at, ""), *(_cell(each.get(at), picture["unit"]) for each in found)] for at in places],
    }


def _thinned(matrix: Report) -> dict[str, Any]:
    """Every fourth row and column of a large matrix."""
    return {
        "caption": f"{matrix['name']}: every fourth row and column", "head": ["", *matrix["columns"][::4]],
        "rows": [[name, *(f"{value:.2f}" for value in row[::4])]
                 for name, row in zip(matrix["rows"][::4], matrix["values"][::4], strict=True)],
    }


def _cell(point: Report | None, unit: str) -> str:
    if point is None:
        return "–"
    if point["low"] is None or point["low"] == point["high"]:
        return figure_shown(point["y"], unit)
    low, high = (figure_shown(point[end], unit).removesuffix(" %") for end in ("low", "high"))
    return f"{figure_shown(point['y'], unit)} ({low} to {high})"


def placed(drawn: list[Any]) -> dict[str, Any]:
    """Drawings side by side: each with its left edge, and the size of them all."""
    left, parts = 0.0, []
    for each in drawn:
        parts.append((left, each))
        left += each.width + 16
    return {"parts": parts, "width": left - 16, "height": max(each.height for each in drawn)}
