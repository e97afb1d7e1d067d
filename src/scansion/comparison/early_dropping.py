"""Families that are not worth all rows: what learns by gradients begins with some of them, and may end there.

Before its first seed such a family is trained with an eighth and a quarter of the training rows and scored on the same
test rows.  Errors fall by a power of the number of rows at best (Hestness et al. 2017, arXiv:1712.00409), by one
factor whenever rows are doubled, and by less where they near a floor.  So a family is dropped if it stays behind the
best so far even where that lead is as small, and what the last doubling brought as large, as the 95 % intervals of
their paired tests allow, and each doubling to come takes the same factor off its error, or that of the steepest power
they found, since which rows were drawn is not in the intervals.  One that is no better than the baseline with the first
share is not judged: its curve had not begun to rise.  How often the rule was wrong stands in
benchmarks/experiments/early_dropping.md.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import log2
from typing import Any

import numpy as np

from scansion.comparison.learning_curve import in_proportion
from scansion.comparison.run import Outcome, Run
from scansion.comparison.standings import Standings
from scansion.tasks.task import ComparedData, ComparedTask, Parts
from scansion.viewer.number_format import score_shown

SHARES = (1 / 8, 1 / 4)
STEEPEST = 0.35
"""The exponent that is granted at least, in the range of Hestness et al. the steepest."""
FEWEST_ROWS = 2_500
"""Of the smaller share: of fewer rows, a share costs far more than its share of the time, and all take little."""


def first_parts(task: ComparedTask, data: ComparedData, random_state: int) -> Parts:
    """The rows that families begin with: of each share every fold's, with its test rows; none of few rows."""
    if not task.drops_early or min(len(train) for train, _ in data.folds) * SHARES[0] < FEWEST_ROWS:
        return []
    parts: list[Parts] = [[] for _ in SHARES]
    for train, test in data.folds:
        order = train[in_proportion(task.groups(data, train), len(train), random_state)]
        for share, kept in zip(SHARES, parts, strict=True):
            kept.append((np.sort(order[: round(share * len(train))]), test))
    return [part for kept in parts for part in kept]


def gain_at_most(error: float, gain: float, times: float) -> float:
    """What an error that has fallen to ``error`` by ``gain`` loses yet, if rows are doubled ``times`` more.

    >>> gain_at_most(0.2, 0.2, 1.0)
    0.1
    """
    factor = min(error / (error + gain), 2**-STEEPEST) if gain else 2**-STEEPEST
    return error * (1 - factor**times)


class EarlyDropping:
    """What families have shown on their first rows, beside how others stand with all ``rows``."""

    def __init__(self, standings: Standings, baseline: str, rows: int) -> None:
        self.standings, self.baseline, self.rows = standings, baseline, rows
        self.begun: dict[str, dict[int, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
        self.dropped: dict[str, str] = {}
        self.judged: dict[tuple[str, str, int], str] = {}

    def with_standing(self, outcome: Outcome) -> Outcome:
        """Take note of an outcome; if it completes a seed or a share, it is told with the family's score."""
        run = outcome.run
        if outcome.dropped:
            self.dropped[run.label] = outcome.dropped
        if not run.begins:
            return self.standings.with_standing(outcome)
        if not outcome.cost:
            return outcome
        parts = self.begun[run.label][run.part_rows]
        parts.append(outcome)
        if len(parts) < self.standings.folds:
            return outcome
        return replace(outcome, standing=self.standings.score_told([self.standings.prediction_of(parts)]))

    def needless(self, run: Run) -> str:
        """Why a run would tell nothing new; empty if it may."""
        if not run.begins:
            return self.standings.beaten(run)
        shown, best = self._shown(run.label), self.standings.best
        if run.part_rows in self.begun[run.label] or not shown or not best:
            return ""
        rows, prediction = shown[-1]
        _, behind, _ = self._ahead(self.standings.predictions[best], [prediction])
        return "" if behind > 0 else f"with {rows:,} rows it is not significantly worse than {best} with all"

    def hopeless(self, run: Run) -> str:
        """Why a family is not trained with all rows; empty if it is."""
        if run.begins or run.label not in self.begun or run.label in self.standings.predictions:
            return ""
        known = run.label, self.standings.best, sum(map(len, self.begun[run.label].values()))
        if known not in self.judged:
            self.judged[known] = self._judged(run.label)
        return self.dropped.get(run.label) or self.judged[known]

    def left_out(self, run: Run) -> bool:
        """Whether a run is not made, as far as is known."""
        return bool(self.hopeless(run) or self.needless(run))

    def _shown(self, label: str) -> list[tuple[int, Any]]:
        """The predictions of each share that is complete, fewest rows first."""
        standings = self.standings
        return [
            (rows, standings.prediction_of(parts)) for rows, parts in sorted(self.begun[label].items())
            if len(parts) == standings.folds
        ]

    def _judged(self, label: str) -> str:
        shown, best = self._shown(label), self.standings.best
        if len(shown) < len(SHARES) or self.baseline not in self.standings.predictions:
            return ""
        (few, before), (more, now) = shown
        _, above_baseline, _ = self._ahead([before], self.standings.predictions[self.baseline])
        _, lead, _ = self._ahead(self.standings.predictions[best], [now])
        _, _, doubling = self._ahead([now], [before])
        metric = self.standings.scoring.metric
        scores = [self.standings.scoring.measures(each)[metric.name] for each in (before, now)]
        error = 1 - scores[1] if metric.higher_is_better else scores[1]
        most = gain_at_most(error, max(0.0, doubling), log2(self.rows / more) / log2(more / few))
        if above_baseline <= 0 or lead <= most:
            return ""
        first, second, brought, ahead = (score_shown(each, metric.in_hundredths) for each in (*scores, most, lead))
        return (
            f"with {few:,} and {more:,} of {self.rows:,} rows it had {metric.name.replace('_', ' ')} {first} and "
            f"{second}; all rows would bring at most {brought} more, and {best} is at least {ahead} ahead"
        )

    def _ahead(self, one: Sequence[Any], other: Sequence[Any]) -> tuple[float, float, float]:
        """By how much the predictions of one family are better than another's, with the 95 % interval."""
        tests, _ = self.standings.scoring.paired_tests({"one": one, "other": other})
        test = tests["one", "other"]
        ends = (test.difference, test.low, test.high)
        if self.standings.scoring.metric.higher_is_better:
            return ends
        return -test.difference, -test.high, -test.low
