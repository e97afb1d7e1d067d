"""Answers as a page shows them: confusion in few enough labels, and rows with what every family said."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST_LABELS = 12
PREVIEW = 280

Report = Mapping[str, Any]


def answer_shown(answer: Any) -> str:
    """A label, several of them, a number or a translation."""
    if isinstance(answer, list | tuple):
        return ", ".join(map(str, answer)) or "none"
    return f"{answer:.3g}" if isinstance(answer, float) else str(answer)


def confused(report: Report) -> dict[str, Any] | None:
    """Tables of counts, a row a true label; beyond twelve labels all but the most frequent eleven are one."""
    labels, cells = report["confusion"]["labels"], report["confusion"]["cells"]
    if not cells:
        return None
    truths = [0] * len(labels)
    for truth, _, rows in next(iter(cells.values())):
        truths[truth] += rows
    kept = list(range(len(labels)))
    if len(labels) > MOST_LABELS:
        kept = sorted(sorted(kept, key=lambda i: -truths[i])[: MOST_LABELS - 1])
    place = {label: i for i, label in enumerate(kept)}
    names = [str(labels[i]) for i in kept]
    others = len(labels) - len(kept)
    if others:
        names.append(f"{others:,} other labels")
    # with the others in one, an answer among them may be another of them: neither right nor told apart
    tables = {
        family: _table(mine, place, len(names)) for family, mine in cells.items() if family != report["baseline"]
    }
    if not tables:
        return None
    chosen = report["verdict"]["family"]
    shown = chosen if chosen in tables else next(iter(tables))
    return {"names": names, "others": others, "families": tables, "labels": len(labels), "shown": shown}


def _table(cells: Sequence[Sequence[int]], place: Mapping[int, int], size: int) -> list[list[dict[str, Any]]]:
    counts = [[0] * size for _ in range(size)]
    for truth, answer, rows in cells:
        counts[place.get(truth, size - 1)][place.get(answer, size - 1)] += rows
    return [
        [{"rows": rows, "share": round(rows / max(1, sum(line)), 3)} for rows in line] for line in counts
    ]


def split_rows(report: Report) -> list[dict[str, Any]]:
    """The disagreements, each text with what of it is shown at once."""
    return [
        {**each, "preview": each["text"][:PREVIEW], "more": each["characters"] > PREVIEW, "whole": len(each["text"])}
        for each in report["disagreements"]
    ]
