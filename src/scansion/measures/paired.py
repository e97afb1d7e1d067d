"""Do two families differ? Tests on the same rows, Holm's adjustment, ranks with ties, and what could have been seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count, islice
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, ndtri, stdtr, stdtrit

from scansion.errors import UsageError
from scansion.measures.contributions import SHARES, checked_seeds, row_values
from scansion.measures.intervals import check_confidence, degrees_of_freedom, sampling_variance, seed_variance
from scansion.randomness import stream

# Random bits turned into numbers at a time: a few megabytes, whatever the number of rows.
FLIPS_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class PairedTest:
    """Score of A less score of B on the same rows, in the measure's unit, with its interval and its test."""

    difference: float
    low: float
    high: float
    p_value: float
    method: str
    sampling_error: float
    """Standard error of the difference because these rows were drawn."""
    seed_error: float
    """Standard error because these seeds were drawn; 0 where a family has one seed or all its seeds agree."""
    degrees_of_freedom: float


def paired_test(
    kind: str,
    measure: str,
    truth: ArrayLike,
    predictions_a: Sequence[ArrayLike],
    predictions_b: Sequence[ArrayLike],
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedTest:
    """Whether A and B have the same score; each side is a list of predictions, one for each training seed.

    The difference on a row is the seeds' mean of A less that of B (jackknife pseudo-values where the measure is not
    a mean over rows). A family whose seeds all predict the same counts as one seed.

    - One seed each, right or wrong: McNemar's exact test; interval of Bonett and Price (2012, Journal of educational
      and behavioral statistics 37). One seed each, any other measure: sign flips, interval by t. Both are about these
      two trained models: what another seed would do is not known.
    - More seeds: t = difference / √(Σ d² / N² + seeds A + seeds B). The first part is the variance of all sign flips,
      whose distribution is normal for many rows; a family's part is the variance of its S scores / S, so two
      draws of one family's seeds are not called different; degrees of freedom by Satterthwaite. How much seeds
      disagree row by row is counted in both parts, which makes the test call too few differences, not too many.
      What escapes it is few seeds that outweigh the rows: on simulated normal scores, a family that needs no seed
      against an equal one of 2, 3 or 5 seeds with four times the rows' variance is called different 11, 8 or 6
      times in 100.
    """
    check_confidence(confidence)
    truth_array, kept_a = checked_seeds(kind, measure, truth, predictions_a)
    _, kept_b = checked_seeds(kind, measure, truth, predictions_b)
    _check_rows(len(truth_array))
    values = [row_values(measure, truth_array, _distinct(kept)) for kept in (kept_a, kept_b)]
    return paired_test_of_values(values[0], values[1], confidence, seed, shares=measure in SHARES)


def paired_test_of_values(
    values_a: NDArray, values_b: NDArray, confidence: float = 0.95, seed: int = 0, shares: bool = False
) -> PairedTest:
    """The same for a score that is a mean over rows, from the rows' values (seeds, N) of A and of B.

    With ``shares`` a value is 1 for a row that is right and else 0.
    """
    _check_rows(values_a.shape[1])
    differences = values_a.mean(axis=0) - values_b.mean(axis=0)
    rows, difference = len(differences), float(differences.mean())
    between = [(seed_variance(values), len(values) - 1) for values in (values_a, values_b)]
    variance, seeds = sampling_variance(differences), sum(part for part, _ in between)
    freedom = degrees_of_freedom([(variance, rows - 1), *between])
    half = float(stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(variance + seeds))
    low, high = difference - half, difference + half
    if len(values_a) > 1 or len(values_b) > 1:
        method, p_value = "t over rows and seeds", _t_test(differences, between)
    elif shares:
        method, p_value = "exact McNemar", mcnemar(values_a[0] == 1, values_b[0] == 1)
        low, high = _bonett_price(differences, confidence)
    else:
        method, p_value = "sign flips", sign_flips(differences, seed=seed)
    return PairedTest(difference, low, high, p_value, method, float(np.sqrt(variance)), float(np.sqrt(seeds)), freedom)


def paired_tests(
    kind: str,
    measure: str,
    truth: ArrayLike,
    predictions: Mapping[str, Sequence[ArrayLike]],
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[dict[tuple[str, str], PairedTest], NDArray]:
    """Every pair's test, and the (F, F) matrix of Holm-adjusted p values over all pairs, in the mapping's order."""

    def test(a: str, b: str) -> PairedTest:
        return paired_test(kind, measure, truth, predictions[a], predictions[b], confidence, seed)

    return all_pairs(list(predictions), test)


def all_pairs(
    names: Sequence[str], test: Callable[[str, str], PairedTest]
) -> tuple[dict[tuple[str, str], PairedTest], NDArray]:
    """Every pair's test, and the (F, F) matrix of Holm-adjusted p values over all pairs, in the order of the names."""
    tests = {(a, b): test(a, b) for a, b in combinations(names, 2)}
    matrix = np.ones((len(names), len(names)))
    if tests:
        upper = np.triu_indices(len(names), k=1)
        matrix[upper] = holm([test.p_value for test in tests.values()])
        matrix.T[upper] = matrix[upper]
    return tests, matrix


def mcnemar(correct_a: ArrayLike, correct_b: ArrayLike) -> float:
    """Exact two-sided p that A and B are right equally often, from (N,) rights and wrongs on the same rows.

    Of the rows where just one of them is right, each is as likely to be A's as B's: a binomial test with a half
    (McNemar 1947, Psychometrika 12). The exact test and not the mid-p, since it never exceeds its level.
    """
    correct_a, correct_b = np.asarray(correct_a, dtype=bool), np.asarray(correct_b, dtype=bool)
    if correct_a.shape != correct_b.shape or correct_a.ndim != 1 or not len(correct_a):
        raise UsageError(f"Expected two (N,) arrays over the same rows, got {correct_a.shape} and {correct_b.shape}.")
    only_a, only_b = int(np.sum(correct_a & ~correct_b)), int(np.sum(correct_b & ~correct_a))
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def sign_flips(differences: ArrayLike, draws: int = 10_000, seed: int = 0) -> float:
    """Two-sided p that the (N,) paired differences are as likely to be one sign as the other.

    The share of random sign changes whose mean is at least as far from 0 as the observed one, itself counted
    (Fisher 1935, The design of experiments, section 21; Phipson and Smyth 2010 for the one that is added).
    """
    differences = np.asarray(differences, dtype=np.float64)
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    scaled = (moved / np.abs(moved).max()).astype(np.float32)
    total = float(scaled.sum(dtype=np.float64))
    # Sums within float32's rounding of the observed one count as equal to it.
    extreme = abs(total) - 1e-6 * float(np.abs(scaled).sum(dtype=np.float64))
    random, at_once, reached = stream(seed, "sign flips"), max(1, FLIPS_AT_ONCE // len(scaled)), 0
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        bytes_drawn = random.integers(0, 256, (size, (len(scaled) + 7) // 8), dtype=np.uint8)
        flipped = np.unpackbits(bytes_drawn, axis=1, count=len(scaled)).astype(np.float32)
        reached += int(np.sum(np.abs(total - 2 * (flipped @ scaled)) >= extreme))
    return (1 + reached) / (1 + draws)


def holm(p_values: ArrayLike) -> NDArray:
    """Adjusted p values, in the order given: below alpha with an error rate of alpha over all tests together.

    The k-th smallest of m times m − k + 1, never below its predecessor, at most 1 (Holm 1979, Scandinavian journal
    of statistics 6).
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    if p_values.ndim != 1 or not np.all((p_values >= 0) & (p_values <= 1)):
        raise UsageError(f"Expected a list of p values between 0 and 1, got {p_values.tolist()}.")
    order = np.argsort(p_values, kind="stable")
    stepped = np.minimum(1, np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1)))
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    return adjusted


def rank_groups(
    names: Sequence[str], scores: Sequence[float], p_values: ArrayLike, alpha: float = 0.05
) -> dict[str, int]:
    """Each family's rank, 1 for the best; of two that share one, neither is significantly better.

    ``scores``: higher is better, so give an error with its sign turned. ``p_values``: (F, F), adjusted. The best
    family opens group 1 and, from the best on, every other one joins that is significantly different from none in the
    group; the best one left opens the next. A noisy family may so stand in a better group than one that scored higher
    but was measured more surely, and two of different ranks need not be significantly different: see
    :func:`compact_letters`.
    """
    matrix, left = _ordered(names, scores, p_values)
    group_of: dict[str, int] = {}
    group = 0
    while left:
        group += 1
        joined: list[int] = []
        for family in left:
            if all(not matrix[family, other] < alpha for other in joined):
                joined.append(family)
        group_of |= {names[family]: group for family in joined}
        left = [family for family in left if family not in joined]
    return group_of


def compact_letters(
    names: Sequence[str], scores: Sequence[float], p_values: ArrayLike, alpha: float = 0.05
) -> dict[str, str]:
    """Letters of which two families share one exactly if they are not significantly different.

    Arguments are those of :func:`rank_groups`; ``a`` is of the best family. By insertion and absorption (Piepho 2004,
    Journal of computational and graphical statistics 13).
    """
    matrix, order = _ordered(names, scores, p_values)
    columns = [frozenset(order)] if order else []
    for first, second in combinations(order, 2):
        if matrix[first, second] < alpha:
            split = [
                part for column in columns
                for part in ([column - {first}, column - {second}] if {first, second} <= column else [column])
            ]
            columns = [each for each in dict.fromkeys(split) if not any(each < other for other in split)]
    columns.sort(key=lambda column: [order.index(family) for family in order if family in column])
    letters = list(islice(filter(str.isalpha, map(chr, count(ord("a")))), len(columns)))
    return {
        names[family]: "".join(letter for letter, column in zip(letters, columns, strict=True) if family in column)
        for family in order
    }


def _ordered(
    names: Sequence[str], scores: Sequence[float], p_values: ArrayLike
) -> tuple[NDArray, list[int]]:
    """The p values as a matrix, and the families' numbers, best first. UsageError for what does not fit together."""
    matrix = np.asarray(p_values, dtype=np.float64)
    if len(names) != len(scores) or matrix.shape != (len(names), len(names)) or not np.isfinite(scores).all():
        raise UsageError(
            f"Expected a finite score for each of {len(names)} names and a square matrix of p values, got "
            f"{len(scores)} scores and {matrix.shape}. Leave out families without a score."
        )
    return matrix, sorted(range(len(names)), key=lambda family: -scores[family])


def minimum_detectable_difference(test: PairedTest, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true difference that a test like this one finds at level alpha with this power.

    (t for 1 − alpha / 2 + t for power) · standard error; a difference below it may well be there unseen.
    """
    return _quantiles(test, alpha, power) * float(np.hypot(test.sampling_error, test.seed_error))


def rows_needed(test: PairedTest, rows: int, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Rows at which the observed difference, were it the true one, is found; None if more rows alone cannot do it.

    ``rows`` is how many the test had. More rows shrink the sampling error, not the seeds'.
    """
    allowed = (test.difference / _quantiles(test, alpha, power)) ** 2 - test.seed_error**2
    return ceil(rows * test.sampling_error**2 / allowed) if allowed > 0 else None


def _quantiles(test: PairedTest, alpha: float, power: float) -> float:
    if not (0 < alpha < 1 and 0 < power < 1):
        raise UsageError(f"Alpha and power lie between 0 and 1, got {alpha} and {power}.")
    return float(stdtrit(test.degrees_of_freedom, np.array([1 - alpha / 2, power])).sum())


def _check_rows(rows: int) -> None:
    if rows < 2:
        raise UsageError("One row tells no two families apart. Compare on at least 2 rows.")


def _distinct(predictions: Sequence[NDArray]) -> Sequence[NDArray]:
    """All seeds' predictions, or one of them when the seed makes no difference."""
    return predictions[:1] if all(np.array_equal(predictions[0], other) for other in predictions) else predictions


def _t_test(differences: NDArray, between: Sequence[tuple[float, float]]) -> float:
    """Two-sided p of the mean difference, with the variance that the rows have if there is no difference."""
    rows, difference = len(differences), abs(float(differences.mean()))
    flips = float(np.sum(differences**2)) / rows**2
    error = np.sqrt(flips + sum(part for part, _ in between))
    freedom = degrees_of_freedom([(flips, rows - 1), *between])
    return float(2 * stdtr(freedom, -difference / error)) if error else 1.0


def _bonett_price(differences: NDArray, confidence: float) -> tuple[float, float]:
    """The adjusted Wald interval of paired shares: one row more for A alone, one more for B alone."""
    rows = len(differences) + 2
    only_a, only_b = (np.sum(differences > 0) + 1) / rows, (np.sum(differences < 0) + 1) / rows
    middle = only_a - only_b
    half = ndtri((1 + confidence) / 2) * np.sqrt((only_a + only_b - middle**2) / rows)
    return max(-1.0, float(middle - half)), min(1.0, float(middle + half))
