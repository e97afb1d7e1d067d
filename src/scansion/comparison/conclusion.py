"""From the outcomes of runs to rows, ranks and a verdict: the same for documents and for translations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.figures import PERCENT_MEASURES
from scansion.comparison.result import Row
from scansion.comparison.runs import Outcome, Run
from scansion.comparison.verdict import Verdict, decide
from scansion.families.catalogue import Family, WritingFamily
from scansion.measures.intervals import Interval
from scansion.measures.paired import PairedTest, rank_groups
from scansion.storage.schema import to_json


def unfinished(label: str, mine: Sequence[Outcome], runs: Sequence[Run]) -> Row | None:
    """The row of a family that has no score: one of its runs has failed, or was not made."""
    failed = [outcome.failure for outcome in mine if outcome.failure]
    if failed or len(mine) < sum(run.label == label for run in runs):
        return Row(label, "failed", failed[0] if failed else "interrupted before it was done")
    return None


def row_of(
    label: str, interval: Interval, metric: str, by_seed: Sequence[Mapping[str, float]], mine: Sequence[Outcome]
) -> Row:
    """The row of a family whose runs are done; ``by_seed`` holds each seed's measures."""
    costs = [outcome.cost for outcome in mine]
    there = sum(cost["tokens_there"] for cost in costs)
    predicted = sum(len(outcome.answers) for outcome in mine)
    return Row(
        label, "ok", "", interval.score, interval.low, interval.high, None, len(by_seed),
        fit_seconds=float(np.mean([cost["fit_seconds"] for cost in costs])),
        documents_per_second=predicted / max(1e-9, sum(cost["predict_seconds"] for cost in costs)),
        size_bytes=int(np.mean([cost["size_bytes"] for cost in costs])),
        peak_memory_bytes=max(cost["peak_memory_bytes"] for cost in costs),
        tokens_read_share=sum(cost["tokens_read"] for cost in costs) / there if there else 1.0,
        sampling_error=interval.sampling_error,
        seed_error=interval.seed_error,
        scores_by_seed=tuple(float(measures[metric]) for measures in by_seed),
        measures={name: float(np.mean([measures[name] for measures in by_seed])) for name in by_seed[0]},
        parameters=costs[0]["parameters"],
        notes=tuple(costs[0]["notes"]),
        cut_short=any(cost["cut_short"] for cost in costs),
    )


def ranked(
    rows: Sequence[Row], families: Mapping[str, Family | WritingFamily], pairs: Mapping[tuple[str, str], PairedTest],
    adjusted: NDArray, metric: str, test_rows: int, baseline: str,
) -> tuple[tuple[Row, ...], Verdict]:
    """The rows with their ranks, best first and the failed last, and what they come to."""
    scores = {row.family: row.score for row in rows if row.status == "ok"}
    groups = rank_groups(list(scores), list(scores.values()), adjusted) if scores else {}
    rows = [
        replace(
            row, rank_group=groups.get(row.family),
            options=to_json(families[row.family]) if row.family in families else {},
        )
        for row in rows
    ]
    rows.sort(key=lambda row: (row.status != "ok", -(row.score or 0.0)))
    seconds = {row.family: row.fit_seconds for row in rows if row.status == "ok"}
    sizes = {row.family: row.size_bytes for row in rows if row.status == "ok"}
    unit = "points" if metric in PERCENT_MEASURES else ""
    short = [row.family for row in rows if row.cut_short]
    return tuple(rows), decide(scores, groups, seconds, pairs, test_rows, baseline, unit, sizes, short)
