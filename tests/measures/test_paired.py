"""Paired tests against scipy and published numbers, how often they are wrong, ranks, and what they could have seen."""

from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from scansion.errors import UsageError
from scansion.measures.paired import (
    compact_letters,
    holm,
    mcnemar,
    minimum_detectable_difference,
    paired_test,
    paired_tests,
    rank_groups,
    rows_needed,
    sign_flips,
)


def families(
    random: np.random.Generator,
    seeds: tuple[int, int],
    rows: int,
    seed_spread: float | tuple[float, float],
    better: float = 0.0,
):
    """Two families' (S, N) rights on the same rows, easy and hard; ``better`` is what the first has more of skill."""
    difficulty = 1.5 * random.normal(size=rows)
    spreads = np.broadcast_to(seed_spread, 2)
    skills = [
        1.2 + more + spread * random.normal(size=(count, 1))
        for count, spread, more in zip(seeds, spreads, (better, 0.0), strict=True)
    ]
    return [list(skill + difficulty + 0.7 * random.normal(size=(len(skill), rows)) > 0) for skill in skills]


def test_mcnemar_equals_the_binomial_test():
    a = np.repeat([1, 1, 0, 0], [40, 15, 4, 20])
    b = np.repeat([1, 0, 1, 0], [40, 15, 4, 20])
    assert mcnemar(a, b) == pytest.approx(stats.binomtest(4, 19).pvalue)
    assert mcnemar(a, b) == mcnemar(b, a)
    assert mcnemar(a, a) == 1


def test_one_seed_of_accuracy_is_mcnemar_with_the_interval_of_bonett_and_price():
    a = np.repeat([0, 0, 1, 1], [12, 4, 26, 6])
    b = np.repeat([0, 1, 0, 1], [12, 4, 26, 6])
    test = paired_test("binary", "accuracy", np.ones(48, dtype=int), [a], [b])
    assert test.method == "exact McNemar"
    assert test.p_value == pytest.approx(stats.binomtest(4, 30).pvalue)
    assert test.difference == pytest.approx(22 / 48)
    # The numbers that the documentation of R's statpsych::ci.prop.ps prints for these counts.
    assert (test.low, test.high) == pytest.approx((0.2548067, 0.6251933), abs=1e-7)


def test_sign_flips_equal_scipys_permutation_test():
    differences = np.random.default_rng(0).normal(0.7, 1, 12)
    exact = stats.permutation_test((differences, np.zeros(12)), lambda a, b: np.mean(a - b), permutation_type="samples")
    assert sign_flips(differences, draws=40_000) == pytest.approx(exact.pvalue, abs=0.004)
    assert sign_flips(np.zeros(5)) == 1
    assert sign_flips([1.0] * 40) == pytest.approx(1 / 10_001)


def test_sign_flips_of_many_rows_are_normal_and_fast():
    differences = np.random.default_rng(1).normal(0.01, 1, 25_000)
    start = process_time()
    p_value = sign_flips(differences)
    assert process_time() - start < 1.5
    z = differences.sum() / np.sqrt(np.sum(differences**2))
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.015)


@pytest.mark.parametrize(
    ("seeds", "seed_spread"), [((1, 1), 0.0), ((3, 3), 0.0), ((3, 3), 0.05), ((3, 3), 0.2), ((1, 3), (0.0, 0.05))]
)
def test_equal_families_are_rarely_called_different(seeds, seed_spread):
    random, ones = np.random.default_rng(2), np.ones(600, dtype=bool)
    repeats = 500
    called = sum(
        paired_test("binary", "accuracy", ones, *families(random, seeds, 600, seed_spread)).p_value < 0.05
        for _ in range(repeats)
    )
    assert called / repeats <= 0.06


def test_seeds_of_one_family_would_be_called_different_without_their_variance():
    """The mistake this guards against: with lucky seeds, McNemar on one seed each finds what is not there."""
    random, ones = np.random.default_rng(3), np.ones(600, dtype=bool)
    pairs = [families(random, (3, 3), 600, 0.4) for _ in range(200)]
    one_seed = np.mean([mcnemar(a[0], b[0]) < 0.05 for a, b in pairs])
    with_seeds = np.mean([paired_test("binary", "accuracy", ones, a, b).p_value < 0.05 for a, b in pairs])
    assert one_seed > 0.3
    assert with_seeds <= 0.08


@pytest.mark.parametrize("measure", ["pearson", "spearman", "r2", "mean_absolute_error"])
def test_equal_regressors_are_rarely_called_different(measure):
    random, called = np.random.default_rng(4), 0
    for _ in range(150):
        truth = random.normal(size=120)
        a, b = ([truth + random.normal(size=120)] for _ in range(2))
        called += paired_test("regression", measure, truth, a, b).p_value < 0.05
    assert called / 150 <= 0.09  # two standard errors above 5 %


def test_equal_multilabel_families_are_rarely_called_different():
    random, called = np.random.default_rng(5), 0
    for _ in range(300):
        truth = (random.random((120, 5)) < 0.3).astype(int)
        a, b = ([np.where(random.random((120, 5)) < 0.85, truth, 1 - truth) for _ in range(3)] for _ in range(2))
        called += paired_test("multilabel", "micro_f1", truth, a, b).p_value < 0.05
    assert called / 300 <= 0.06


def test_a_real_difference_is_found_as_often_as_the_minimum_detectable_difference_says():
    random, ones = np.random.default_rng(6), np.ones(2000, dtype=bool)
    better = 0.14
    true = np.subtract(*stats.norm.cdf(np.array([1.2 + better, 1.2]) / np.hypot(1.5, 0.7)))
    tests = [paired_test("binary", "accuracy", ones, *families(random, (1, 1), 2000, 0.0, better)) for _ in range(300)]
    detectable = np.median([minimum_detectable_difference(test) for test in tests])
    error = detectable / (stats.norm.ppf(0.975) + stats.norm.ppf(0.8))
    expected = stats.norm.cdf(true / error - stats.norm.ppf(0.975))
    assert np.mean([test.p_value < 0.05 for test in tests]) == pytest.approx(expected, abs=0.08)


def test_swapping_the_families_turns_the_sign_and_nothing_else():
    random = np.random.default_rng(7)
    ones = np.ones(300, dtype=bool)
    numbers = random.normal(size=300)
    cases = [
        ("binary", "accuracy", ones, *families(random, (1, 1), 300, 0.1)),
        ("binary", "accuracy", ones, *families(random, (3, 1), 300, 0.1)),
        ("regression", "pearson", numbers, [numbers + random.normal(size=300)], [numbers + random.normal(size=300)]),
    ]
    for kind, measure, truth, a, b in cases:
        there, back = paired_test(kind, measure, truth, a, b), paired_test(kind, measure, truth, b, a)
        assert there.p_value == pytest.approx(back.p_value)
        assert (there.difference, there.low, there.high) == pytest.approx((-back.difference, -back.high, -back.low))


def test_the_order_of_rows_and_seeds_changes_nothing():
    random, ones = np.random.default_rng(8), np.ones(300, dtype=bool)
    a, b = families(random, (3, 3), 300, 0.1)
    order = random.permutation(300)
    expected = paired_test("binary", "accuracy", ones, a, b)
    got = paired_test("binary", "accuracy", ones, [each[order] for each in a[::-1]], [each[order] for each in b])
    assert got.p_value == pytest.approx(expected.p_value)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))


def test_a_family_whose_seeds_agree_counts_as_one_seed():
    random, ones = np.random.default_rng(9), np.ones(300, dtype=bool)
    (a,), (b,) = families(random, (1, 1), 300, 0.0)
    assert paired_test("binary", "accuracy", ones, [a, a, a], [b, b]) == paired_test(
        "binary", "accuracy", ones, [a], [b]
    )


def test_a_family_does_not_differ_from_itself():
    numbers = np.arange(20.0)
    a = [numbers + 1, numbers - 2 * numbers % 3]
    for predictions in (a, a[:1]):
        test = paired_test("regression", "mean_absolute_error", numbers, predictions, predictions)
        assert (test.difference, test.p_value) == (0, 1)


def test_always_right_against_always_wrong_is_certain_with_seeds_too():
    ones = np.ones(100, dtype=bool)
    nearly = np.arange(100) > 0
    test = paired_test("binary", "accuracy", ones, [ones, nearly], [~ones, ~nearly])
    assert test.p_value < 1e-6


def test_holm_in_hand_worked_numbers():
    # 0.01·4; max(0.04, 0.02·3 = 0.06); 0.03·2 = 0.06; max(0.06, 0.04·1) = 0.06
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert len(holm([])) == 0


@given(some.lists(some.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_lies_between_raw_and_bonferroni(p_values):
    raw, adjusted = np.array(p_values), holm(p_values)
    assert np.all(adjusted >= raw)
    assert np.all(adjusted <= np.minimum(1, len(raw) * raw))
    assert np.all(np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0)
    assert np.array_equal(holm(p_values[::-1]), adjusted[::-1])


def test_families_that_cannot_be_told_apart_share_a_rank():
    names, scores = ["majority", "lstm", "n-grams", "rnn"], [0.5, 0.83, 0.84, 0.80]
    p_values = np.full((4, 4), 0.001)
    p_values[1, 2] = p_values[2, 1] = 0.4
    p_values[1, 3] = p_values[3, 1] = 0.3
    assert rank_groups(names, scores, p_values) == {"n-grams": 1, "lstm": 1, "rnn": 2, "majority": 3}
    assert set(rank_groups(names, scores, np.ones((4, 4))).values()) == {1}
    assert rank_groups([], [], np.ones((0, 0))) == {}


@given(some.permutations(range(5)))
def test_ranks_do_not_depend_on_the_order_of_the_families(order):
    scores = np.array([0.9, 0.88, 0.7, 0.69, 0.2])
    p_values = np.where(np.abs(scores[:, None] - scores) < 0.05, 0.5, 0.001)
    got = rank_groups([f"family {i}" for i in order], scores[list(order)], p_values[np.ix_(order, order)])
    assert got == {"family 0": 1, "family 1": 1, "family 2": 2, "family 3": 2, "family 4": 3}


def test_of_families_of_one_rank_none_is_significantly_different_from_another():
    names, scores = ["a", "b", "c"], [0.9, 0.8, 0.7]
    p_values = np.ones((3, 3))
    p_values[1, 2] = p_values[2, 1] = 0.001  # a was measured less surely than either
    assert rank_groups(names, scores, p_values) == {"a": 1, "b": 1, "c": 2}
    assert compact_letters(names, scores, p_values) == {"a": "ab", "b": "a", "c": "b"}


@given(some.integers(1, 9), some.integers(0, 10_000), some.floats(0, 1))
def test_two_families_share_a_letter_exactly_if_they_are_not_significantly_different(size, seed, share):
    random = np.random.default_rng(seed)
    upper = np.triu(np.where(random.random((size, size)) < share, 0.001, 0.5), 1)
    p_values = upper + upper.T + np.eye(size)
    names, scores = [f"family {i}" for i in range(size)], random.random(size)
    letters, ranks = (each(names, scores, p_values) for each in (compact_letters, rank_groups))
    assert "a" in letters[names[int(scores.argmax())]]
    assert ranks[names[int(scores.argmax())]] == 1
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            assert bool(set(letters[one]) & set(letters[other])) == (p_values[i, j] >= 0.05)
            assert ranks[one] != ranks[other] or p_values[i, j] >= 0.05


def test_letters_go_on_behind_the_alphabet():
    apart = np.where(np.eye(60, dtype=bool), 1.0, 0.001)
    letters = compact_letters([str(i) for i in range(60)], np.arange(60)[::-1], apart)
    assert [letters[str(i)] for i in (0, 1, 25)] == ["a", "b", "z"]
    assert len(set(letters.values())) == 60
    assert compact_letters([], [], np.ones((0, 0))) == {}


def test_all_pairs_are_tested_once_and_adjusted_together():
    random, ones = np.random.default_rng(10), np.ones(300, dtype=bool)
    a, b = families(random, (3, 3), 300, 0.1, better=1.0)
    tests, adjusted = paired_tests("binary", "accuracy", ones, {"lstm": a, "rnn": b, "majority": [~ones]})
    assert list(tests) == [("lstm", "rnn"), ("lstm", "majority"), ("rnn", "majority")]
    expected = holm([test.p_value for test in tests.values()])
    assert [adjusted[0, 1], adjusted[0, 2], adjusted[1, 2]] == pytest.approx(expected)
    assert np.array_equal(adjusted, adjusted.T)
    assert np.all(np.diag(adjusted) == 1)


def test_the_rows_needed_are_those_at_which_the_difference_is_just_detectable():
    truth = np.ones(1000, dtype=bool)
    a, b = np.arange(1000) >= 100, (np.arange(1000) >= 220) | (np.arange(1000) < 100)
    test = paired_test("binary", "accuracy", truth, [a], [b])
    needed = rows_needed(test, 1000)
    assert minimum_detectable_difference(test) * np.sqrt(1000 / needed) == pytest.approx(abs(test.difference), rel=1e-3)
    same = paired_test("binary", "accuracy", truth, [a], [a])
    assert rows_needed(same, 1000) is None


def test_more_rows_do_not_help_where_seeds_hide_the_difference():
    numbers = np.zeros(50)
    test = paired_test(
        "regression", "mean_absolute_error", numbers, [numbers + 1, numbers + 3], [numbers + 2, numbers + 2.5]
    )
    assert rows_needed(test, 50) is None
    assert minimum_detectable_difference(test) > abs(test.difference)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: mcnemar([1, 0], [1]), "over the same rows"),
        (lambda: mcnemar([], []), "over the same rows"),
        (lambda: holm([0.5, 1.5]), "between 0 and 1"),
        (lambda: rank_groups(["a"], [0.5, 0.6], np.ones((1, 1))), "Leave out families without a score"),
        (lambda: rank_groups(["a"], [np.nan], np.ones((1, 1))), "Leave out families without a score"),
        (lambda: paired_test("binary", "accuracy", [1], [[1]], [[0]]), "at least 2 rows"),
        (lambda: paired_test("binary", "accuracy", [1, 0], [[1, 0]], [[0, 0]], confidence=95), "Give 0.95"),
        (lambda: paired_test("binary", "accuracy", [1, 0], [[1, 0]], [[0]]), "one prediction for each row"),
        (lambda: paired_test("binary", "accuracy", [1, 0], [[1, 0]], []), "a list with one array of predictions"),
    ],
)
def test_what_cannot_be_tested_is_refused_with_a_sentence(call, sentence):
    with pytest.raises(UsageError, match=sentence):
        call()
