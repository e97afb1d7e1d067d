"""Intervals against textbook values, scipy and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from scansion.errors import UsageError
from scansion.measures.intervals import bootstrap, degrees_of_freedom, interval_of, wilson
from scansion.measures.scores import MEASURES, RANGES


@pytest.mark.parametrize(("successes", "total"), [(0, 7), (7, 7), (1, 3), (81, 263), (820, 1000)])
def test_wilson_equals_scipy(successes, total):
    expected = stats.binomtest(successes, total).proportion_ci(0.9, method="wilson")
    assert wilson(successes, total, 0.9) == pytest.approx((expected.low, expected.high))


def test_wilson_covers_the_share_as_often_as_it_says():
    shares, total = np.array([0.6, 0.8, 0.9, 0.97]), 300
    for share in shares:
        covered = sum(
            stats.binom.pmf(successes, total, share)
            for successes in range(total + 1)
            if wilson(successes, total)[0] <= share <= wilson(successes, total)[1]
        )
        assert 0.93 <= covered <= 0.97


def test_one_seed_of_accuracy_is_wilson():
    truth = np.ones(50, dtype=int)
    interval = interval_of("binary", "accuracy", truth, [truth * (np.arange(50) < 41)])
    assert (interval.low, interval.high) == pytest.approx(wilson(41, 50))
    assert interval.score == pytest.approx(0.82)
    assert interval.seed_error == 0


def test_the_bootstrap_of_a_mean_equals_scipys_bca():
    sample = np.random.default_rng(0).exponential(size=60)
    expected = stats.bootstrap((sample,), np.mean, n_resamples=20_000, rng=np.random.default_rng(1))
    got = bootstrap(lambda counts: counts @ sample / 60, 60, influence=sample, draws=20_000)
    assert got == pytest.approx(expected.confidence_interval, abs=0.01)


def test_the_interval_of_pearson_is_fishers_on_normal_data():
    random = np.random.default_rng(2)
    truth = random.normal(size=2000)
    prediction = truth + random.normal(size=2000)
    expected = stats.pearsonr(truth, prediction).confidence_interval()
    got = interval_of("regression", "pearson", truth, [prediction])
    assert (got.low, got.high) == pytest.approx(expected, abs=0.005)
    of_ranks = interval_of("regression", "spearman", truth, [prediction])
    assert of_ranks.high - of_ranks.low == pytest.approx(got.high - got.low, rel=0.3)


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_a_correlation_is_covered_as_often_as_it_says(name):
    random = np.random.default_rng(5)
    true = 0.8 if name == "pearson" else 6 / np.pi * np.arcsin(0.4)
    covered = 0
    for _ in range(200):
        truth = random.normal(size=80)
        got = interval_of("regression", name, truth, [0.8 * truth + 0.6 * random.normal(size=80)])
        covered += got.low <= true <= got.high
    assert 0.92 <= covered / 200 <= 0.98


def right_or_wrong(random: np.random.Generator, seeds: int, rows: int, seed_spread: float):
    """(S, N) rights of one family: rows differ in difficulty, seeds in skill, and some luck in both."""
    difficulty = 1.5 * random.normal(size=rows)
    skill = 1.2 + seed_spread * random.normal(size=(seeds, 1))
    return (skill + difficulty + 0.7 * random.normal(size=(seeds, rows)) > 0).astype(int)


@pytest.mark.parametrize(("seeds", "seed_spread"), [(3, 0.0), (3, 0.05), (5, 0.1)])
def test_several_seeds_cover_the_familys_score_as_often_as_they_say(seeds, seed_spread):
    random = np.random.default_rng(11)
    true = stats.norm.cdf(1.2 / np.sqrt(1.5**2 + 0.7**2 + seed_spread**2))
    ones, covered = np.ones(500, dtype=int), 0
    for _ in range(500):
        got = interval_of("binary", "accuracy", ones, list(right_or_wrong(random, seeds, 500, seed_spread)))
        covered += got.low <= true <= got.high
    assert 0.93 <= covered / 500 <= 0.975


def test_seeds_that_agree_add_nothing_and_seeds_that_differ_widen():
    random = np.random.default_rng(0)
    ones = np.ones(400, dtype=int)
    once, *others = right_or_wrong(random, 3, 400, 0.5)
    alone, thrice = (interval_of("binary", "accuracy", ones, list(each)) for each in ([once], [once, once, once]))
    assert (thrice.low, thrice.high) == pytest.approx((alone.low, alone.high))
    differing = interval_of("binary", "accuracy", ones, [once, *others])
    scores = np.mean([once, *others], axis=1)
    assert differing.seed_error == pytest.approx(scores.std(ddof=1) / np.sqrt(3))
    assert differing.sampling_error == pytest.approx(np.mean([once, *others], axis=0).std(ddof=1) / 20)
    assert differing.high - differing.low > 2 * 1.96 * np.hypot(differing.seed_error, differing.sampling_error)


def test_seed_variance_in_hand_worked_numbers():
    truth, predictions = np.zeros(4), [np.full(4, 1.0), np.full(4, 3.0)]
    interval = interval_of("regression", "mean_absolute_error", truth, predictions)
    assert (interval.score, interval.sampling_error, interval.seed_error) == (2.0, 0.0, 1.0)
    assert interval.low == 0.0  # an error is never negative, whatever the seeds say
    assert interval.high == pytest.approx(2 + stats.t.ppf(0.975, 1))


def test_degrees_of_freedom_lie_between_the_smallest_and_the_sum():
    assert degrees_of_freedom([(1, 2)]) == 2
    assert degrees_of_freedom([(1, 2), (1, 2)]) == 4
    assert degrees_of_freedom([(1, np.inf), (0, 2)]) == np.inf


EVERY = [(kind, name) for kind in ("multiclass", "multilabel", "regression") for name in MEASURES[kind]]


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_measure_has_an_interval_inside_its_range_that_repeats(kind, name):
    random = np.random.default_rng(1)
    shape = (30, 3) if kind == "multilabel" else 30
    truth = random.normal(size=30) if kind == "regression" else random.integers(0, 2, shape)
    predictions = [truth + random.normal(size=30) if kind == "regression" else random.integers(0, 2, shape)] * 2
    predictions[1] = truth
    interval = interval_of(kind, name, truth, predictions, seed=4)
    lowest, highest = RANGES[name]
    assert lowest <= interval.low <= interval.score <= interval.high <= highest
    assert interval.low < interval.high
    assert interval == interval_of(kind, name, truth, predictions, seed=4)


@pytest.mark.parametrize("name", MEASURES["multilabel"])
def test_all_right_on_a_few_rows_is_not_certainty(name):
    truth = np.eye(3, dtype=int)[[0, 1, 2] * 5]
    interval = interval_of("multilabel", name, truth, [truth])
    assert (interval.low, interval.high) == pytest.approx(wilson(15, 15))


def test_a_mean_baseline_has_correlation_nought_and_no_width():
    interval = interval_of("regression", "pearson", np.arange(9.0), [np.full(9, 4.1)])
    assert (interval.score, interval.low, interval.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: wilson(3, 2), "0 <= successes <= total"),
        (lambda: wilson(1, 2, confidence=95), "between 0 and 1, got 95"),
        (lambda: bootstrap(lambda counts: counts[:, 0], 0), "at least one row"),
        (lambda: interval_of("binary", "accuracy", [1, 0], [1, 0]), "a list with one array of predictions"),
        (lambda: interval_of("binary", "accuracy", [1, 0], []), "a list with one array of predictions"),
        (lambda: interval_of("binary", "acuracy", [1], [[1]]), "did you mean 'accuracy'"),
        (lambda: interval_of("binary", "accuracy", [1, 0], [[1, 0], [1]]), "one prediction for each row"),
        (lambda: interval_of("regression", "pearson", [1], [[1]]), "at least 2 rows"),
    ],
)
def test_what_has_no_interval_is_refused_with_a_sentence(call, sentence):
    with pytest.raises(UsageError, match=sentence):
        call()
