"""Where families stand while a comparison goes on, and which of them further seeds would not help.

Seeds are what makes a comparison long.  A family whose first seed is worse than the best so far, on the same rows and
at a level of one in a thousand, is not trained with another: that would measure more surely what is not in question.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scansion.comparison.run import Outcome, Run
from scansion.tasks.task import Scoring
from scansion.viewer.number_format import score_shown

LEVEL = 0.001


class Standings:
    """The predictions of every family so far, of the seeds that have answered all ``folds``."""

    def __init__(self, scoring: Scoring, folds: int, thorough: bool) -> None:
        self.scoring, self.folds, self.thorough = scoring, folds, thorough
        self.waiting: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
        self.predictions: dict[str, list[Any]] = defaultdict(list)

    def with_standing(self, outcome: Outcome) -> Outcome:
        """Take note of an outcome; if it completes a seed, it is told with the family's score and place."""
        run = outcome.run
        if not outcome.cost or run.fold >= self.folds:
            return outcome
        parts = self.waiting[run.label, run.seed]
        parts.append(outcome)
        if len(parts) < self.folds:
            return outcome
        self.predictions[run.label].append(self.prediction_of(parts))
        better = sum(self._score(other) > self._score(run.label) for other in self.predictions)
        place = "the best" if not better else f"place {better + 1}"
        told = f"{self.score_told(self.predictions[run.label])}, {place} of {len(self.predictions)} so far"
        return replace(outcome, standing=told)

    def prediction_of(self, parts: Sequence[Outcome]) -> Any:
        """A family's predictions, of its outcomes on every fold."""
        answers = [answer for part in sorted(parts, key=lambda each: each.run.fold) for answer in part.answers]
        return self.scoring.prediction(answers)

    def score_told(self, predictions: Sequence[Any]) -> str:
        """The score of a family's predictions, one a seed, in words."""
        metric, interval = self.scoring.metric, self.scoring.interval(predictions)
        score, low, high = (
            score_shown(value, metric.in_hundredths) for value in (interval.score, interval.low, interval.high)
        )
        return f"{metric.name.replace('_', ' ')} {score} ({low} to {high})"

    @property
    def best(self) -> str:
        """The family with the best score so far; empty if there is none."""
        return max(self.predictions, key=self._score, default="")

    def _score(self, label: str) -> float:
        """Higher is better."""
        name, metric = self.scoring.metric.name, self.scoring.metric
        scores = [self.scoring.measures(prediction)[name] for prediction in self.predictions[label]]
        return metric.oriented(sum(scores) / len(scores))

    def beaten(self, run: Run) -> str:
        """Why ``run``, another seed of a family, is not worth its time; empty if it is, or is no such run."""
        if self.thorough or run.fold >= self.folds or not self.predictions.get(run.label):
            return ""
        if self.waiting.get((run.label, run.seed)):  # the other folds of a seed that was begun
            return ""
        best = self.best
        if best == run.label:
            return ""
        found, _ = self.scoring.paired_tests({each: self.predictions[each] for each in (best, run.label)})
        if found[best, run.label].p_value >= LEVEL:
            return ""
        return f"it is significantly worse than {best} (p < {LEVEL:g})"

