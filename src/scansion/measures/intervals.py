"""How sure a score is: over the rows it was measured on, and over the seeds of a family's training."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtrit

from scansion.errors import UsageError
from scansion.measures.contributions import SHARES, checked_seeds, row_values, score_of_means, terms_of
from scansion.measures.scores import RANGES
from scansion.randomness import stream

# Counts held at a time while resampling: a few megabytes, whatever the number of rows.
COUNTS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Interval:
    """A score, the mean over seeds, between ``low`` and ``high``, and the two standard errors it comes from."""

    score: float
    low: float
    high: float
    sampling_error: float
    """Standard error because these rows were drawn and not others."""
    seed_error: float
    """Standard error because these seeds were drawn and not others; 0 with one seed, where it cannot be known."""


def interval_of(
    kind: str,
    measure: str,
    truth: ArrayLike,
    predictions: Sequence[ArrayLike],
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The interval of a family's mean score; ``predictions`` holds one array for each training seed.

    Rows: the seeds' mean on each row is one sample of N values. A measure that is a share of rows gets Wilson's
    interval, for several seeds with the effective number of rows score·(1 − score) / variance of the score (as
    for clustered surveys: Dean and Pagano 2015, Journal of survey statistics and methodology 3); every other
    measure a BCa bootstrap that draws the same rows for all seeds.

    Seeds: variance of the S scores / S. It also holds 1/N of how much seeds disagree row by row, which the rows'
    variance holds too; nothing is taken off for that, so the interval errs a little to the wide side.

    Together: each side is the root of the sum of squares (Zou and Donner 2008, Statistics in medicine 27),
    stretched from the normal to the t quantile of Satterthwaite's degrees of freedom (1946, Biometrics bulletin 2).
    With 2 or 3 seeds the seed variance itself is a guess from 1 or 2 degrees of freedom: where it outweighs the
    rows' the interval covers less than it says. With one seed it is about that trained model alone.
    """
    check_confidence(confidence)
    truth_array, arrays = checked_seeds(kind, measure, truth, predictions)
    if len(truth_array) < 2 and measure not in SHARES:
        raise UsageError(f"One row gives no interval for {measure}. Measure on at least 2 rows.")
    values = row_values(measure, truth_array, arrays)  # (S, N)
    score = float(values.mean())
    low, high = _over_rows(measure, truth_array, arrays, values, confidence, seed)
    between = seed_variance(values)
    sampling = sampling_variance(values.mean(axis=0))
    normal = ndtri((1 + confidence) / 2)
    freedom = degrees_of_freedom([(sampling, np.inf), (between, len(values) - 1)])
    stretch = stdtrit(freedom, (1 + confidence) / 2) / normal
    below, above = (stretch * np.hypot(side, normal * np.sqrt(between)) for side in (score - low, high - score))
    lowest, highest = RANGES[measure]
    return Interval(
        score=score,
        low=float(max(lowest, score - below)),
        high=float(min(highest, score + above)),
        sampling_error=float(np.sqrt(sampling)),
        seed_error=float(np.sqrt(between)),
    )


def wilson(successes: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927, Journal of the American Statistical Association 22).

    Where p lies when (p̂ − p)² = z² p (1 − p) / total. Never outside 0 to 1, never empty at 0 or at ``total``.
    """
    check_confidence(confidence)
    if not 0 <= successes <= total or total <= 0:
        raise UsageError(f"Expected 0 <= successes <= total and a total above 0, got {successes} of {total}.")
    share, squared = successes / total, ndtri((1 + confidence) / 2) ** 2
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    half = np.sqrt(squared * (share * (1 - share) / total + squared / (4 * total**2))) / (1 + squared / total)
    # At either end the formula meets it exactly; rounding must not miss it.
    low = float(middle - half) if successes > 0 else 0.0
    high = float(middle + half) if successes < total else 1.0
    return low, high


def bootstrap(
    statistic: Callable[[NDArray], NDArray],
    rows: int,
    *,
    influence: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The BCa interval of a statistic of resampled rows (Efron 1987, Better bootstrap confidence intervals).

    ``statistic`` gets counts (draws, rows), how often each draw holds each row, and answers (draws,). BCa and not
    the plain percentiles, since F1 and correlations near their end are biased and skewed, and it corrects both.
    ``influence`` (rows,) is what each row moves the statistic, for the skew; without it only the bias is corrected.
    """
    check_confidence(confidence)
    if rows < 1 or draws < 1:
        raise UsageError(f"Expected at least one row and one draw, got {rows} rows and {draws} draws.")
    observed = float(statistic(np.ones((1, rows)))[0])
    drawn = np.concatenate([statistic(counts) for counts in _resamples(rows, draws, seed)])
    # A draw equal to the observed is half below; rounding must not decide which.
    near = 1e-9 * max(1.0, abs(observed))
    below = np.mean(drawn < observed - near) + np.mean(np.abs(drawn - observed) <= near) / 2
    bias = ndtri(np.clip(below, 1 / (draws + 1), draws / (draws + 1)))
    skew = 0.0
    if influence is not None:
        moves = np.asarray(influence, dtype=np.float64)
        away = moves - moves.mean()
        spread = float(np.sum(away**2))
        skew = float(np.sum(away**3)) / (6 * spread**1.5) if spread else 0.0
    ends = bias + ndtri(np.array([1 - confidence, 1 + confidence]) / 2)
    low, high = np.quantile(drawn, ndtr(bias + ends / (1 - skew * ends)))
    return float(low), float(high)


def seed_variance(values: NDArray) -> float:
    """Variance of the mean of S seeds' scores, from (S, N) row values; 0 for one seed."""
    return float(values.mean(axis=1).var(ddof=1)) / len(values) if len(values) > 1 else 0.0


def sampling_variance(values: NDArray) -> float:
    """Variance of the mean of (N,) row values; 0 for one row."""
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0


def degrees_of_freedom(parts: Iterable[tuple[float, float]]) -> float:
    """Satterthwaite's, for a sum of (variance, its degrees of freedom); infinite when nothing varies."""
    parts = [(variance, freedom) for variance, freedom in parts if variance > 0]
    uncertain = sum(variance**2 / freedom for variance, freedom in parts)
    return sum(variance for variance, _ in parts) ** 2 / uncertain if uncertain else np.inf


def _over_rows(
    measure: str, truth: NDArray, predictions: Sequence[NDArray], values: NDArray, confidence: float, seed: int
) -> tuple[float, float]:
    """The interval over rows alone, of the mean of the seeds."""
    rows, score, of_row = len(truth), float(values.mean()), values.mean(axis=0)
    if measure in SHARES or (RANGES[measure] == (0, 1) and score in (0, 1)):
        # All right or all wrong: nothing varies, yet the next row may.
        effective = rows * score * (1 - score) / of_row.var() if of_row.var() > 0 else rows
        return wilson(score * effective, effective, confidence)
    if measure == "spearman":
        return _fisher(score, np.sqrt(sampling_variance(of_row)), confidence)
    terms = terms_of(measure, truth, predictions)  # (S, N, T)
    flat = terms.swapaxes(0, 1).reshape(rows, -1)

    def mean_score(counts: NDArray) -> NDArray:
        means = (counts @ flat / rows).reshape(len(counts), len(terms), -1)
        return score_of_means(measure, means).mean(axis=1)

    return bootstrap(mean_score, rows, influence=of_row, confidence=confidence, seed=seed)


def _fisher(score: float, error: float, confidence: float) -> tuple[float, float]:
    """A correlation's interval on Fisher's scale, atanh, where its spread hardly depends on it; ends beyond are ±1.

    The error is the measured one, carried over by the derivative 1 / (1 − score²), since Fisher's own 1 / √(N − 3)
    holds for normal data only. Ranks are not means over rows, which is why Spearman's score comes here.
    """
    if abs(score) >= 1:
        return score, score
    half = ndtri((1 + confidence) / 2) * error / (1 - score**2)
    return float(np.tanh(np.arctanh(score) - half)), float(np.tanh(np.arctanh(score) + half))


def _resamples(rows: int, draws: int, seed: int) -> Iterator[NDArray]:
    """Counts (some draws, rows) of rows drawn with replacement; ``draws`` in all."""
    random = stream(seed, "bootstrap")
    at_once = max(1, COUNTS_AT_ONCE // rows)
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        picked = random.integers(0, rows, (size, rows)) + rows * np.arange(size)[:, None]
        yield np.bincount(picked.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)


def check_confidence(confidence: float) -> None:
    """Refuse 95 where 0.95 is meant."""
    if not 0 < confidence < 1:
        raise UsageError(f"A confidence lies between 0 and 1, got {confidence}. Give 0.95 for 95 %.")
