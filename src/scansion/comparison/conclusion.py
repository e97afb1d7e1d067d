"""From the outcomes of runs to results, ranks and a verdict, whatever the task."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.result import DROPPED, FAILED, NOT_TRAINED, OK, FamilyResult
from scansion.comparison.run import Outcome
from scansion.comparison.verdict import Verdict, decide
from scansion.measures.intervals import Interval
from scansion.measures.metric import Metric
from scansion.measures.paired import PairedTest, compact_letters, rank_groups
from scansion.storage.schema import to_json
from scansion.tasks.task import Scoring
from scansion.viewer.number_format import seconds_shown


def complete_seeds(mine: Sequence[Outcome], folds: int) -> list[int]:
    """The seeds with which a family has answered every fold."""
    answered = Counter(outcome.run.seed for outcome in mine if outcome.cost)
    return sorted(seed for seed, count in answered.items() if count == folds)


def unscored(label: str, mine: Sequence[Outcome], seeds: Sequence[int], planned: int) -> FamilyResult | None:
    """The result of a family that has no score; None for one that has.

    One of its runs has failed, or it was dropped, or none of its seeds was trained on all folds.
    """
    dropped = [outcome.dropped for outcome in mine if outcome.dropped]
    if dropped and not seeds:
        return FamilyResult(label, DROPPED, f"{dropped[0]}.", seeds_planned=planned)
    failed = [outcome.failure for outcome in mine if outcome.failure]
    untrained = [outcome.untrained for outcome in mine if outcome.untrained]
    if failed or not (seeds or untrained):
        return FamilyResult(
            label, FAILED, failed[0] if failed else "interrupted before it was done", seeds_planned=planned
        )
    return None if seeds else FamilyResult(label, NOT_TRAINED, f"{untrained[0]}.", seeds_planned=planned)


def with_seeds(result: FamilyResult, mine: Sequence[Outcome], planned: int) -> FamilyResult:
    """The result, saying how many seeds were planned where not all of them are in it."""
    if result.seeds == planned:
        return replace(result, seeds_planned=planned)
    missing = [outcome.untrained for outcome in mine if outcome.untrained]
    needless = [outcome.needless for outcome in mine if outcome.needless]
    reason = (
        f"not trained in this budget: {missing[0]}" if missing else
        f"left out: {needless[0]}, and more seeds would not change that" if needless else "interrupted"
    )
    note = f"{result.seeds} of {planned} seeds; another was {reason}"
    return replace(result, seeds_planned=planned, notes=(*result.notes, note))


def with_spent(result: FamilyResult, first: Sequence[Outcome]) -> FamilyResult:
    """The result of a family without a score, with what its runs on the ``first`` rows took together."""
    if not first:
        return result
    fit, processor = (sum(each.cost[name] for each in first) for name in ("fit_seconds", "processor_seconds"))
    return replace(result, fit_seconds=fit, processor_seconds=processor)


def with_first_rows(result: FamilyResult, first: Sequence[Outcome]) -> FamilyResult:
    """The result, saying what its runs on the ``first`` rows took, which are no part of its cost."""
    if not first:
        return result
    rows = " and ".join(dict.fromkeys(f"{each.run.part_rows:,}" for each in first))
    seconds = seconds_shown(sum(each.cost["fit_seconds"] for each in first))
    note = f"began with {rows} rows ({seconds}), and was not to be dropped"
    return replace(result, notes=(*result.notes, note))


def result_of(
    label: str, interval: Interval, scoring: Scoring, predictions: Sequence[Any], mine: Sequence[Outcome]
) -> FamilyResult:
    """The result of a family whose runs are done, one prediction a seed; without runs it cost nothing."""
    costs = [outcome.cost for outcome in mine]
    there = sum(cost["tokens_there"] for cost in costs)
    predicted = sum(len(outcome.answers) for outcome in mine)
    by_seed = [scoring.measures(prediction) for prediction in predictions]
    return FamilyResult(
        label, OK, "", interval.score, interval.low, interval.high, None, len(by_seed),
        fit_seconds=float(np.mean([cost["fit_seconds"] for cost in costs])) if costs else 0.0,
        processor_seconds=float(np.mean([cost["processor_seconds"] for cost in costs])) if costs else 0.0,
        documents_per_second=predicted / max(1e-9, sum(cost["predict_seconds"] for cost in costs)) if costs else None,
        size_bytes=int(np.mean([cost["size_bytes"] for cost in costs])) if costs else 0,
        peak_memory_bytes=max((cost["peak_memory_bytes"] for cost in costs), default=0),
        tokens_read_share=sum(cost["tokens_read"] for cost in costs) / there if there else 1.0,
        sampling_error=interval.sampling_error,
        seed_error=interval.seed_error,
        scores_by_seed=tuple(float(measures[scoring.metric.name]) for measures in by_seed),
        measures={name: float(np.mean([measures[name] for measures in by_seed])) for name in by_seed[0]},
        parameters=costs[0]["parameters"] if costs else 0,
        notes=tuple(costs[0]["notes"]) if costs else (),
        cut_short=any(cost["cut_short"] for cost in costs),
    )


def ranked(
    results: Sequence[FamilyResult], families: Mapping[str, Any], pairs: Mapping[tuple[str, str], PairedTest],
    adjusted: NDArray, metric: Metric, test_rows: int, baseline: str,
) -> tuple[tuple[FamilyResult, ...], Verdict]:
    """The results with their ranks, best first and those without a score last, and what they come to."""
    scores = {each.family: each.score for each in results if each.score is not None}
    oriented = {family: metric.oriented(score) for family, score in scores.items()}
    ordered = list(oriented), list(oriented.values()), adjusted
    groups, letters = (rank_groups(*ordered), compact_letters(*ordered)) if scores else ({}, {})
    found = [
        replace(
            each, rank_group=groups.get(each.family), letters=letters.get(each.family, ""),
            options=to_json(families[each.family]) if each.family in families else {},
        )
        for each in results
    ]
    found.sort(key=lambda each: (each.family not in scores, -oriented.get(each.family, 0.0)))
    good = [each for each in found if each.family in scores]
    return tuple(found), decide(
        scores, groups, {each.family: each.fit_seconds or 0.0 for each in good}, pairs, test_rows, baseline, metric,
        {each.family: each.size_bytes or 0 for each in good}, [each.family for each in good if each.cut_short],
        [each.family for each in found if each.status == NOT_TRAINED],
        [each.family for each in found if each.status == DROPPED],
    )
