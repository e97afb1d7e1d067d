"""What each row adds to a score.

Every measure but Spearman's is a function of means over rows: accuracy of the mean of "right", Pearson's of the
means of x, y, x², y² and xy, F1 of mean counts. Checkpointing those **terms** for each row makes a resample one matrix
product, and leaving a row out one subtraction. S seeds, N rows, T terms, D draws.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scansion.errors import UsageError, did_you_mean
from scansion.measures.scores import ROUNDING, array_of, centred, checked, measures_of, mid_ranks, spearman

# Means of a 0 or 1 for each row.
SHARES = frozenset({"accuracy", "exact_match"})

# Plain means of one number for each row.
MEANS = SHARES | {"mean_absolute_error"}


def checked_seeds(
    kind: str, measure: str, truth: ArrayLike, predictions: Sequence[ArrayLike]
) -> tuple[NDArray, list[NDArray]]:
    """Truth and one array of predictions a seed, every one checked against the truth."""
    if measure not in measures_of(kind):
        known = did_you_mean(measure, measures_of(kind))
        raise UsageError(f"No interval or test for {measure!r} of a {kind} task{known}")
    arrays = [array_of(prediction) for prediction in predictions]
    if not arrays or arrays[0].ndim == 0:
        raise UsageError("Expected a list with one array of predictions for each seed; wrap one alone: [prediction].")
    pairs = [checked(kind, truth, prediction) for prediction in arrays]
    return pairs[0][0], [prediction for _, prediction in pairs]


def terms_of(measure: str, truth: NDArray, predictions: Sequence[NDArray]) -> NDArray:
    """(S, N, T): what each row adds, for every seed; see ``score_of_means``."""
    match measure:
        case "accuracy":
            return np.stack([truth == prediction for prediction in predictions])[..., None].astype(np.float64)
        case "exact_match":
            return np.stack([np.all(truth == each, axis=1) for each in predictions])[..., None].astype(np.float64)
        case "mean_absolute_error":
            return np.stack([np.abs(truth - prediction) for prediction in predictions])[..., None]
        case "root_mean_squared_error":
            return np.stack([(truth - prediction) ** 2 for prediction in predictions])[..., None]
        case "r2":
            away = centred(truth)
            return np.stack([np.stack([(truth - each) ** 2, away, away**2], axis=-1) for each in predictions])
        case "pearson":
            x = _standard(truth)
            sides = [(x, _standard(prediction)) for prediction in predictions]
            return np.stack([np.stack([x, y, x * x, y * y, x * y], axis=-1) for x, y in sides])
        case "micro_f1":
            counts = [(2 * np.sum(truth * each, axis=1), np.sum(truth + each, axis=1)) for each in predictions]
            return np.stack([np.stack(pair, axis=-1) for pair in counts]).astype(np.float64)
        case "macro_f1" | "balanced_accuracy":
            truth, *predictions = _indicators(truth, predictions) if truth.ndim == 1 else [truth, *predictions]
            if measure == "balanced_accuracy":
                return np.stack([np.concatenate([truth * each, truth], axis=1) for each in predictions]).astype(float)
            pairs = [np.concatenate([2 * truth * each, truth + each], axis=1) for each in predictions]
            return np.stack(pairs).astype(np.float64)
    raise UsageError(f"The measure {measure!r} is not a function of means over rows.")


def score_of_means(measure: str, means: NDArray) -> NDArray:
    """(..., T) means of terms → (...) scores, with the same answers where a measure is undefined."""
    match measure:
        case "root_mean_squared_error":
            return np.sqrt(np.maximum(means[..., 0], 0))
        case "r2":
            error, mean, square = np.moveaxis(means, -1, 0)
            spread = square - mean**2
            there = spread > ROUNDING * square
            return np.where(there, 1 - error / np.where(there, spread, 1), error == 0)
        case "pearson":
            x, y, xx, yy, xy = np.moveaxis(means, -1, 0)
            spread = np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0)
            there = spread > ROUNDING
            return np.where(there, np.clip((xy - x * y) / np.sqrt(np.where(there, spread, 1)), -1, 1), 0.0)
        case "micro_f1":
            return _ratio(means[..., 0], means[..., 1])
        case "macro_f1" | "balanced_accuracy":
            above, below = np.split(means, 2, axis=-1)
            # Means of whole counts: what is below half a row is a label that is not there, up to rounding.
            there = below > ROUNDING
            ratios = np.where(there, _ratio(above, below), 0)
            return _ratio(ratios.sum(axis=-1), there.sum(axis=-1))
    return means[..., 0]


def row_values(measure: str, truth: NDArray, predictions: Sequence[NDArray]) -> NDArray:
    """(S, N) numbers whose mean over rows is each seed's score and whose spread gives its standard error.

    The rows' own values where the measure is their mean, else jackknife pseudo-values (Tukey 1958; Efron and
    Tibshirani 1993, An introduction to the bootstrap, ch. 11), shifted so that their mean is the score itself.
    """
    if measure == "spearman":
        return np.stack([_spearman_rows(truth, prediction) for prediction in predictions])
    terms = terms_of(measure, truth, predictions)
    if measure in MEANS:
        return terms[..., 0]
    rows = terms.shape[1]
    means = terms.mean(axis=1, keepdims=True)  # (S, 1, T)
    if rows == 1:
        return score_of_means(measure, means)
    without = score_of_means(measure, (rows * means - terms) / (rows - 1))  # (S, N)
    return score_of_means(measure, means) + (rows - 1) * (without.mean(axis=1, keepdims=True) - without)


def _spearman_rows(truth: NDArray, prediction: NDArray) -> NDArray:
    """Spearman's score plus each row's influence on it (Croux and Dehon 2010, Statistical methods and applications 19).

    With F and G the mid-ranks scaled to (0, 1) less a half, the score is mean(FG) / √(mean(F²) mean(G²)). A row adds
    its own product, and moves the ranks of all rows above it.
    """
    f, g = ((mid_ranks(side) - 0.5) / len(side) - 0.5 for side in (truth, prediction))
    fg, ff, gg = np.mean(f * g), np.mean(f * f), np.mean(g * g)
    score = spearman(truth, prediction)
    if ff * gg == 0:
        return np.full(len(f), score)
    of_fg = f * g + _mean_above(f, g) + _mean_above(g, f) - 3 * fg
    of_ff = f * f + 2 * _mean_above(f, f) - 3 * ff
    of_gg = g * g + 2 * _mean_above(g, g) - 3 * gg
    return score + of_fg / np.sqrt(ff * gg) - score / 2 * (of_ff / ff + of_gg / gg)


def _mean_above(ranks: NDArray, summed: NDArray) -> NDArray:
    """For each row, the sum of ``summed`` over rows ranked above it, plus half of that over its ties, / N."""
    _, group = np.unique(ranks, return_inverse=True)
    of_group = np.bincount(group, weights=summed)
    above = summed.sum() - np.cumsum(of_group)
    return (above + of_group / 2)[group] / len(ranks)


def _indicators(truth: NDArray, predictions: Sequence[NDArray]) -> list[NDArray]:
    labels, codes = np.unique(np.concatenate([truth, *predictions]), return_inverse=True)
    return list(np.eye(len(labels), dtype=np.int8)[codes].reshape(len(predictions) + 1, len(truth), len(labels)))


def _standard(numbers: NDArray) -> NDArray:
    away = centred(numbers)
    return away / (away.std() or 1.0)


def _ratio(above: NDArray, below: NDArray) -> NDArray:
    there = below > ROUNDING
    return np.where(there, above / np.where(there, below, 1), 0.0)
