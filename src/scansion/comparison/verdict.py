"""The verdict: one printed rule, and what would change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scansion.measures.metric import Metric
from scansion.measures.paired import PairedTest, minimum_detectable_difference, rows_needed

RULE = (
    "the cheapest family to train of rank 1, which are the best one and those significantly different neither from it "
    "nor from each other; training times within a second or half as much again are alike, and then it is the smaller "
    "model"
)
ALIKE_SECONDS, ALIKE_FACTOR = 1.0, 1.5  # what a busy machine makes of one and the same training


@dataclass(frozen=True)
class Verdict:
    """Which family to use, by which rule, why, and what would change it."""

    family: str | None
    rule: str
    reason: str
    change: str


def decide(
    scores: Mapping[str, float],
    groups: Mapping[str, int],
    seconds: Mapping[str, float],
    pairs: Mapping[tuple[str, str], PairedTest],
    rows: int,
    baseline: str,
    metric: Metric,
    sizes: Mapping[str, int],
    cut_short: Sequence[str] = (),
    untrained: Sequence[str] = (),
    dropped: Sequence[str] = (),
) -> Verdict:
    """The verdict over families with a score, as ``metric`` is to be read.

    ``sizes`` are their models' bytes; ``cut_short`` are those that a budget has kept from learning all they could, and
    ``untrained`` those without a score because it did not suffice for an epoch; ``dropped`` are those that were not
    trained with all rows because their learning curves cannot reach the best.
    """
    verdict = _decide(scores, groups, seconds, pairs, rows, baseline, metric, sizes)
    told = []
    if cut_short:
        holds = "its rank holds" if len(cut_short) == 1 else "their ranks hold"
        told.append(f"The budget cut {', '.join(cut_short)} short: {holds} under that budget only.")
    if untrained:
        was = "was" if len(untrained) == 1 else "were"
        told.append(f"{', '.join(untrained)} {was} not trained in this budget: give more time to compare with.")
    if dropped:
        was = "was dropped early and is" if len(dropped) == 1 else "were dropped early and are"
        told.append(f"{', '.join(dropped)} {was} not ranked; thorough (--thorough) trains all.")
    return replace(verdict, change=" ".join([*told, verdict.change]).strip())


def _decide(
    scores: Mapping[str, float], groups: Mapping[str, int], seconds: Mapping[str, float],
    pairs: Mapping[tuple[str, str], PairedTest], rows: int, baseline: str, metric: Metric, sizes: Mapping[str, int],
) -> Verdict:
    if not scores:
        return Verdict(None, RULE, "No family has a score, so there is nothing to choose.", "")
    if set(scores) == {baseline}:
        return Verdict(None, RULE, f"Only the {baseline} baseline has a score, so there is nothing to choose.", "")
    best = max(scores, key=lambda family: metric.oriented(scores[family]))
    level = [family for family in scores if groups[family] == groups[best]]
    if baseline in level:
        return Verdict(
            baseline, RULE,
            f"No family is significantly better than the {baseline} baseline: with these rows there is nothing to "
            "learn, or too few of them to see it.",
            "More labelled rows, or targets that the texts really say something about.",
        )
    least = min(seconds[family] for family in level)
    alike = [family for family in level if _alike(seconds[family], least)]
    chosen = min(alike, key=lambda family: (sizes[family], -metric.oriented(scores[family])))
    if chosen == best and len(level) == 1:
        side = "above" if metric.higher_is_better else "below"
        return Verdict(chosen, RULE, f"{chosen} has the best score, significantly {side} every other family.",
                       _rival(chosen, scores, pairs, rows, metric))
    if chosen == best:
        others = ", ".join(family for family in level if family != chosen)
        reason = f"{chosen} has the best score and is the cheapest of those it cannot be told apart from ({others})."
        return Verdict(chosen, RULE, reason, _rival(chosen, scores, pairs, rows, metric))
    test = _pair(best, chosen, pairs)
    if _alike(seconds[best], seconds[chosen]):
        cheaper = f"{chosen} is a model of {100 * sizes[chosen] / max(1, sizes[best]):.2g}% of the size of {best}"
    else:
        cheaper = f"{chosen} trains {seconds[best] / max(seconds[chosen], 1e-9):,.1f} times as fast as {best}"
    if not test.difference:
        reason = f"{cheaper}, and has the same score."
        return Verdict(chosen, RULE, reason, f"More than {rows:,} test rows might tell them apart.")
    side = "higher" if metric.higher_is_better else "lower"
    reason = (
        f"{cheaper}, whose score is {side} by {_shown(abs(test.difference), metric.unit)} only: not significant on "
        "these rows."
    )
    needed = rows_needed(test, rows)
    seen = _shown(minimum_detectable_difference(test), metric.unit)
    change = (
        f"{rows:,} test rows show a difference of about {seen} or more. "
        + (f"If the one seen is real, about {needed:,} would show it, and {best} would win." if needed and needed > rows
           else "More seeds would show whether the one seen is luck." if needed is None else "")
    )
    return Verdict(chosen, RULE, reason, change.strip())


def _alike(seconds: float, least: float) -> bool:
    return seconds <= max(least + ALIKE_SECONDS, least * ALIKE_FACTOR)


def _rival(
    chosen: str, scores: Mapping[str, float], pairs: Mapping[tuple[str, str], PairedTest], rows: int, metric: Metric
) -> str:
    others = [family for family in scores if family != chosen]
    if not others:
        return "Another family to compare with."
    rival = max(others, key=lambda family: metric.oriented(scores[family]))
    test = _pair(chosen, rival, pairs)
    side, seen = "below" if metric.higher_is_better else "above", minimum_detectable_difference(test)
    return (
        f"The closest is {rival}, {_shown(abs(test.difference), metric.unit)} {side}; it would have to gain more than "
        f"that. {rows:,} test rows show differences of about {_shown(seen, metric.unit)} or more."
    )


def _pair(first: str, second: str, pairs: Mapping[tuple[str, str], PairedTest]) -> PairedTest:
    """The test of two families with the difference as first less second."""
    if (first, second) in pairs:
        return pairs[first, second]
    test = pairs[second, first]
    turned = {**vars(test), "difference": -test.difference, "low": -test.high, "high": -test.low}
    return PairedTest(**turned)


def _shown(difference: float, unit: str) -> str:
    return f"{100 * difference:.1f} {unit}" if unit else f"{difference:.3f}"
