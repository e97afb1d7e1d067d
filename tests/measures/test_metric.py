"""Which way each measure is better, told by what it gives to right and to wrong answers."""

import numpy as np
import pytest

from scansion.measures.bleu import bleu, chrf
from scansion.measures.metric import METRICS
from scansion.measures.scores import main_measure, measure_all

RANDOM = np.random.default_rng(0)
TRUTH = {
    "multiclass": RANDOM.integers(0, 4, 200), "multilabel": RANDOM.integers(0, 2, (200, 5)),
    "regression": RANDOM.normal(size=200),
}
WRONG = {
    "multiclass": RANDOM.integers(0, 4, 200), "multilabel": RANDOM.integers(0, 2, (200, 5)),
    "regression": RANDOM.normal(size=200),
}


@pytest.mark.parametrize("kind", TRUTH)
def test_right_answers_are_better_than_random_ones_by_every_measure(kind):
    right, wrong = measure_all(kind, TRUTH[kind], TRUTH[kind]), measure_all(kind, TRUTH[kind], WRONG[kind])
    assert main_measure(kind) in right
    for name in right:
        metric = METRICS[name]
        assert metric.oriented(right[name]) > metric.oriented(wrong[name]), name
        assert metric.reaches(right[name], wrong[name]), name
        assert not metric.reaches(wrong[name], right[name]), name


@pytest.mark.parametrize("measure", [bleu, chrf])
def test_of_translations_too(measure):
    metric, wanted = METRICS[measure.__name__], ["one two three four five", "six seven eight nine ten"]
    right, wrong = measure(wanted, wanted).score, measure(["one", "ten"], wanted).score
    assert metric.reaches(right, wrong)
    assert not metric.reaches(wrong, right)


def test_what_was_demanded_is_reached_from_the_side_that_is_worse():
    accuracy, error = METRICS["accuracy"], METRICS["mean_absolute_error"]
    assert [accuracy.reaches(score, 0.5) for score in (0.4, 0.5, 0.6)] == [False, True, True]
    assert [error.reaches(score, 0.5) for score in (0.4, 0.5, 0.6)] == [True, True, False]


def test_every_measure_stands_under_its_name_and_only_errors_are_better_low():
    assert all(metric.name == name for name, metric in METRICS.items())
    low = {name for name, metric in METRICS.items() if not metric.higher_is_better}
    assert low == {"mean_absolute_error", "root_mean_squared_error", "bits_per_byte"}
