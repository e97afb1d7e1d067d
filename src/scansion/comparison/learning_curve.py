"""Score against the number of labelled rows: which family for how many, and where one overtakes another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.run import Outcome
from scansion.errors import UsageError
from scansion.measures.metric import Metric
from scansion.measures.paired import PairedTest
from scansion.randomness import stream
from scansion.tasks.task import ComparedData, ComparedTask, Parts, Scoring

SIZES = 6  # the last of them is all rows
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class CurvePoint:
    """A family's score when it has learned from so many rows."""

    family: str
    rows: int
    score: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True)
class Overtaking:
    """A family that is significantly worse than another with ``after`` rows and significantly better with ``by``.

    The differences are its score less the other's, with their 95 % intervals.
    """

    family: str
    overtaken: str
    after: int
    by: int
    before: tuple[float, float, float]
    then: tuple[float, float, float]


@dataclass(frozen=True)
class LearningCurve:
    """Every family's points, fewest rows first, and who overtakes whom."""

    points: tuple[CurvePoint, ...] = ()
    overtakings: tuple[Overtaking, ...] = ()


def smaller_parts(task: ComparedTask, data: ComparedData, seeds: int, random_state: int) -> Parts:
    """Training rows for every size but the last and every seed, in this order, each with the test rows.

    Labels are in proportion, and a seed's smaller parts lie in its larger ones.  UsageError for folds, or too few rows.
    """
    if len(data.folds) > 1:
        raise UsageError("A learning curve takes one test set. Leave out folds, or the learning curve.")
    train, test = data.folds[0]
    fewest = task.fewest_rows(data)
    if len(train) < 2 * fewest:
        raise UsageError(f"A learning curve here begins with {fewest} rows and needs twice as many; got {len(train)}.")
    sizes = np.unique(np.geomspace(fewest, len(train), SIZES).round().astype(int))[:-1]
    groups = task.groups(data, train)
    orders = [train[in_proportion(groups, len(train), random_state + seed)] for seed in range(seeds)]
    return [(np.sort(order[:size]), test) for size in sizes for order in orders]


def in_proportion(groups: NDArray | None, rows: int, seed: int) -> NDArray:
    """An order of so many training rows in which every beginning has the groups (N,) in proportion."""
    order = stream(seed, "learning curve").permutation(rows)
    if groups is None:
        return order
    # the i-th of the n rows of a group stands at (i + u) / n of the way
    place = np.empty(len(order))
    for group in np.unique(groups):
        mine = order[groups[order] == group]
        place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
    return order[np.argsort(place[order], kind="stable")]


def curve_of(
    scoring: Scoring, data: ComparedData, parts: Parts, outcomes: Sequence[Outcome], whole: Mapping[str, Sequence[Any]]
) -> LearningCurve:
    """The points of all families that answered; ``whole`` are the predictions of those that learned from all rows."""
    if not parts:
        return LearningCurve()
    by_size: dict[int, dict[str, list[Any]]] = {}
    for outcome in outcomes:
        part = outcome.run.fold - len(data.folds)
        if part >= 0 and not outcome.failure:
            families = by_size.setdefault(len(parts[part][0]), {})
            families.setdefault(outcome.run.label, []).append(scoring.prediction(outcome.answers))
    by_size[len(data.folds[0][0])] = {label: list(predictions) for label, predictions in whole.items()}
    points, leads = [], {}
    for size, families in sorted(by_size.items()):
        for label, predictions in families.items():
            interval = scoring.interval(predictions)
            points.append(CurvePoint(label, size, interval.score, interval.low, interval.high, len(predictions)))
        leads[size] = scoring.paired_tests(families) if len(families) > 1 else ({}, np.ones((1, 1)))
    return LearningCurve(tuple(points), tuple(_overtakings(by_size, leads, scoring.metric)))


def _overtakings(
    by_size: Mapping[int, Mapping[str, object]], leads: Mapping[int, tuple[dict[tuple[str, str], PairedTest], NDArray]],
    metric: Metric,
) -> list[Overtaking]:
    found = []
    names = list(dict.fromkeys(label for families in by_size.values() for label in families))
    for first, second in combinations(names, 2):
        ahead: tuple[int, PairedTest] | None = None  # the last size at which one of the two was ahead
        for size, (tests, adjusted) in sorted(leads.items()):
            there = list(by_size[size])
            if (first, second) not in tests or adjusted[there.index(first), there.index(second)] >= SIGNIFICANT:
                continue
            test = tests[first, second]
            if ahead is not None and (ahead[1].difference > 0) != (test.difference > 0):
                found.append(_overtaking(first, second, ahead, (size, test), metric))
            ahead = size, test
    return found


def _overtaking(
    first: str, second: str, before: tuple[int, PairedTest], then: tuple[int, PairedTest], metric: Metric
) -> Overtaking:
    forwards = metric.oriented(then[1].difference) > 0  # the first has overtaken the second
    spans = [
        (test.difference, test.low, test.high) if forwards else (-test.difference, -test.high, -test.low)
        for _, test in (before, then)
    ]
    winner, loser = (first, second) if forwards else (second, first)
    return Overtaking(winner, loser, before[0], then[0], spans[0], spans[1])
