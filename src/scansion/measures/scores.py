"""One plain function a measure: truth and prediction in, a number out.

N rows, K labels, C classes. Single-label truth is (N,), text or numbers; multilabel truth is (N, K) of 0 and 1;
regression truth is (N,) finite numbers. Whatever does not fit is a UsageError.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scansion.errors import UsageError, did_you_mean

Measure = Callable[[ArrayLike, ArrayLike], float]

# Spread below this share of the level is rounding, not variation.
ROUNDING = 1e-12


def accuracy(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Rows predicted right / rows; 0 to 1."""
    truth, prediction = labels_of(truth, prediction)
    return float(np.mean(truth == prediction))


def balanced_accuracy(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean over the labels in the truth of (predicted right / rows with that label); 0 to 1."""
    truth, prediction = labels_of(truth, prediction)
    return float(np.mean([np.mean(prediction[truth == label] == label) for label in np.unique(truth)]))


def macro_f1(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean over labels of 2·right / (rows with the label + rows predicted as it); 0 to 1; (N,) or (N, K).

    A label that stands in neither truth nor prediction has no F1 and is left out, for (N, K) too, where
    scikit-learn counts it as 0 with a warning. If no label is left the score is 0.
    """
    if array_of(truth).ndim == 2:
        truth, prediction = label_sets_of(truth, prediction)
        right, either = np.sum(truth * prediction, axis=0), np.sum(truth + prediction, axis=0)
    else:
        truth, prediction = labels_of(truth, prediction)
        labels, codes = np.unique(np.concatenate([truth, prediction]), return_inverse=True)
        truth_codes, prediction_codes = codes[: len(truth)], codes[len(truth) :]
        right = np.bincount(truth_codes[truth_codes == prediction_codes], minlength=len(labels))
        either = np.bincount(codes, minlength=len(labels))
    there = either > 0
    return float(np.mean(2 * right[there] / either[there])) if there.any() else 0.0


def micro_f1(truth: ArrayLike, prediction: ArrayLike) -> float:
    """2·right / (labels there + labels predicted), over all rows and labels of (N, K); 0 to 1.

    0 when there is no label at all, neither in the truth nor in the prediction.
    """
    truth, prediction = label_sets_of(truth, prediction)
    either = truth.sum() + prediction.sum()
    return float(2 * np.sum(truth * prediction) / either) if either else 0.0


def exact_match(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Rows of (N, K) whose whole set of labels is right / rows; 0 to 1."""
    truth, prediction = label_sets_of(truth, prediction)
    return float(np.mean(np.all(truth == prediction, axis=1)))


def log_loss(truth: ArrayLike, probabilities: ArrayLike, labels: Sequence | None = None) -> float:
    """Mean over rows of −log p(truth), in nats; 0 is best, no upper end.

    ``probabilities`` is (N, C), its columns in the order of ``labels`` (default: truth holds column numbers). For
    (N, K) truth it is (N, K) and the mean is over rows and labels. Probabilities are clipped to the precision of
    their type, as scikit-learn does; a label without a column counts as probability 0 before clipping.
    """
    if array_of(truth).ndim == 2:
        truth, probabilities = _label_probabilities(truth, probabilities)
        of_truth = np.where(truth == 1, probabilities, 1 - probabilities)
    else:
        columns, probabilities = _columns(truth, probabilities, labels)
        known = columns >= 0
        of_truth = np.where(known, probabilities[np.arange(len(columns)), np.where(known, columns, 0)], 0)
    tiny = np.finfo(probabilities.dtype).eps
    return float(-np.mean(np.log(np.clip(of_truth, tiny, 1 - tiny), dtype=np.float64)))


def expected_calibration_error(
    truth: ArrayLike, probabilities: ArrayLike, labels: Sequence | None = None, bins: int = 15
) -> float:
    """Mean over rows of |share right − mean confidence| within the row's bin; 0 (calibrated) to 1.

    The confidence is the largest of the row's (N, C) probabilities, in ``bins`` equally wide bins over (0, 1]
    (Guo et al. 2017, On calibration of modern neural networks, eq. 3). Empty bins count nothing.
    """
    columns, probabilities = _columns(truth, probabilities, labels)
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == columns
    number = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return float(np.sum(np.abs(np.bincount(number, weights=right - confidence))) / len(columns))


def pearson(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Correlation: covariance / (spread · spread); −1 to 1; 0 when either side is constant (as a mean baseline is)."""
    truth, prediction = (centred(side) for side in numbers_of(truth, prediction))
    spread = np.linalg.norm(truth) * np.linalg.norm(prediction)
    return float(np.clip(truth @ prediction / spread, -1, 1)) if spread else 0.0


def spearman(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Pearson's correlation of the ranks, ties at their mean rank; −1 to 1; 0 when either side is constant."""
    truth, prediction = numbers_of(truth, prediction)
    return pearson(mid_ranks(truth), mid_ranks(prediction))


def r2(truth: ArrayLike, prediction: ArrayLike) -> float:
    """1 − squared error / squared error of the truth's own mean; 1 is best, no lower end.

    When the truth is constant: 1 if every prediction is right, else 0, as in scikit-learn.
    """
    truth, prediction = numbers_of(truth, prediction)
    error, spread = np.sum((truth - prediction) ** 2), np.sum(centred(truth) ** 2)
    return float(1 - error / spread) if spread else float(error == 0)


def mean_absolute_error(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean of |truth − prediction|, in the target's unit; 0 is best."""
    truth, prediction = numbers_of(truth, prediction)
    return float(np.mean(np.abs(truth - prediction)))


def root_mean_squared_error(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Root of the mean of (truth − prediction)², in the target's unit; 0 is best."""
    truth, prediction = numbers_of(truth, prediction)
    return float(np.sqrt(np.mean((truth - prediction) ** 2)))


_ONE_LABEL: dict[str, Measure] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
}

# For each kind of task the measures of its predictions; the first is the one that families are ranked by.
MEASURES: dict[str, dict[str, Measure]] = {
    "binary": _ONE_LABEL,
    "multiclass": _ONE_LABEL,
    "multilabel": {"micro_f1": micro_f1, "macro_f1": macro_f1, "exact_match": exact_match},
    "regression": {
        "pearson": pearson,
        "spearman": spearman,
        "r2": r2,
        "mean_absolute_error": mean_absolute_error,
        "root_mean_squared_error": root_mean_squared_error,
    },
}

LOWER_IS_BETTER = frozenset(
    {"log_loss", "expected_calibration_error", "mean_absolute_error", "root_mean_squared_error"}
)

# Lowest and highest score there can be.
RANGES: dict[str, tuple[float, float]] = {
    "accuracy": (0, 1),
    "balanced_accuracy": (0, 1),
    "macro_f1": (0, 1),
    "micro_f1": (0, 1),
    "exact_match": (0, 1),
    "pearson": (-1, 1),
    "spearman": (-1, 1),
    "r2": (-np.inf, 1),
    "mean_absolute_error": (0, np.inf),
    "root_mean_squared_error": (0, np.inf),
}


def measures_of(kind: str) -> dict[str, Measure]:
    """The measures of a kind of task, the main one first; an unknown kind is a UsageError."""
    if kind not in MEASURES:
        raise UsageError(f"No measures for the kind of task {kind!r}{did_you_mean(kind, MEASURES)}")
    return MEASURES[kind]


def main_measure(kind: str) -> str:
    """The name of the measure that families are ranked by."""
    return next(iter(measures_of(kind)))


def measure_all(
    kind: str,
    truth: ArrayLike,
    prediction: ArrayLike,
    probabilities: ArrayLike | None = None,
    labels: Sequence | None = None,
) -> dict[str, float]:
    """Every measure of the kind, the main one first; with ``probabilities`` also log loss and calibration.

    ``labels`` names the columns of ``probabilities``; see ``log_loss``.
    """
    scores = {name: measure(truth, prediction) for name, measure in measures_of(kind).items()}
    if probabilities is not None and kind != "regression":
        scores["log_loss"] = log_loss(truth, probabilities, labels)
        if kind != "multilabel":
            scores["expected_calibration_error"] = expected_calibration_error(truth, probabilities, labels)
    return scores


def checked(kind: str, truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray, NDArray]:
    """Truth and prediction as the arrays that the measures of this kind work on."""
    measures_of(kind)
    if kind == "regression":
        return numbers_of(truth, prediction)
    return label_sets_of(truth, prediction) if kind == "multilabel" else labels_of(truth, prediction)


def labels_of(truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray, NDArray]:
    """Two (N,) arrays of labels, both text or both numbers."""
    truth, prediction = _same_rows(truth, prediction, 1, "(N,)")
    if (truth.dtype.kind in "US") != (prediction.dtype.kind in "US"):
        raise UsageError(
            f"The true labels are {truth.dtype}, such as {truth.flat[0]!r}, the predicted {prediction.dtype}, such as "
            f"{prediction.flat[0]!r}, and so none can match. Give both as text or both as numbers."
        )
    for name, side in (("true", truth), ("predicted", prediction)):
        if side.dtype.kind == "f" and not np.isfinite(side).all():
            row = int(np.argmin(np.isfinite(side)))
            raise UsageError(f"The {name} label at row {row} is {side[row]}, expected a label. Remove or repair it.")
    return truth, prediction


def label_sets_of(truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray, NDArray]:
    """Two (N, K) integer arrays of 0 and 1."""
    truth, prediction = _same_rows(truth, prediction, 2, "(N, K) of 0 and 1, a column a label,")
    for name, side in (("truth", truth), ("prediction", prediction)):
        if side.dtype.kind not in "biuf" or not np.isin(side, (0, 1)).all():
            raise UsageError(f"The multilabel {name} holds something other than 0 and 1. Give one 0/1 column a label.")
    return truth.astype(np.int64), prediction.astype(np.int64)


def numbers_of(truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray, NDArray]:
    """Two (N,) arrays of finite float64."""
    truth, prediction = _same_rows(truth, prediction, 1, "(N,)")
    for name, side in (("truth", truth), ("prediction", prediction)):
        if side.dtype.kind not in "biuf":
            raise UsageError(f"The {name} of a regression must be numbers, got {side.dtype}, such as {side[0]!r}.")
        if not np.isfinite(side).all():
            row = int(np.argmin(np.isfinite(side)))
            raise UsageError(f"The {name} at row {row} is {side[row]}, expected a finite number. Remove or repair it.")
    return truth.astype(np.float64), prediction.astype(np.float64)


def centred(numbers: NDArray) -> NDArray:
    """``numbers`` less their mean; exact zeros when they vary by no more than rounding."""
    away = numbers - numbers.mean()
    return away if np.abs(away).max() > ROUNDING * np.abs(numbers).max() else np.zeros_like(away)


def _same_rows(truth: ArrayLike, other: ArrayLike, dimensions: int, shape: str) -> tuple[NDArray, NDArray]:
    truth, other = array_of(truth), array_of(other)
    if truth.ndim != dimensions or other.ndim != dimensions:
        raise UsageError(f"Expected truth and prediction as {shape} arrays, got {truth.shape} and {other.shape}.")
    if truth.shape != other.shape:
        raise UsageError(f"Truth is {truth.shape}, prediction is {other.shape}: give one prediction for each row.")
    if not truth.size:
        raise UsageError("There is nothing to measure: truth and prediction are empty. Give at least one row.")
    return truth, other


def mid_ranks(numbers: NDArray) -> NDArray:
    """Ranks from 1, ties at the mean of theirs."""
    _, group, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(sizes) - (sizes - 1) / 2)[group]


def array_of(values: ArrayLike) -> NDArray:
    """One plain array, of text or of numbers; ragged or mixed values are a UsageError."""
    try:
        array = np.asarray(values)
        array = np.asarray(array.tolist()) if array.dtype == object else array
    except ValueError as error:
        raise UsageError("Expected one answer for each row, all of the same length; got rows that differ.") from error
    if array.dtype == object or (array.dtype.kind in "US" and not _all_text(values)):
        raise UsageError("Expected all labels as text or all as numbers, got a mixture or missing values.")
    return array


def _all_text(values: ArrayLike) -> bool:
    """Whether values that numpy has made text of were text."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "US":
        return True
    return all(isinstance(each, str | bytes) for each in np.asarray(values, object).flat)


def _label_probabilities(truth: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray, NDArray]:
    truth, given = _same_rows(truth, probabilities, 2, "(N, K)")
    label_sets_of(truth, truth)
    return truth, _probabilities(given)


def _columns(truth: ArrayLike, probabilities: ArrayLike, labels: Sequence | None) -> tuple[NDArray, NDArray]:
    """Each row's true column, −1 for a label without one, and the (N, C) probabilities."""
    truth, given = array_of(truth), _probabilities(array_of(probabilities))
    if truth.ndim != 1 or given.ndim != 2 or len(truth) != len(given) or not len(truth):
        raise UsageError(
            f"Expected probabilities as (N, C), a row for each true label; got {given.shape} for truth {truth.shape}."
        )
    if not np.allclose(given.sum(axis=1), 1, atol=1e-3):
        row = int(np.argmax(np.abs(given.sum(axis=1) - 1)))
        raise UsageError(f"The probabilities of row {row} add up to {given[row].sum():.4f}, expected 1.")
    names = np.arange(given.shape[1]) if labels is None else array_of(labels)
    if len(names) != given.shape[1]:
        raise UsageError(f"{given.shape[1]} columns of probabilities, {len(names)} labels: give one label a column.")
    if (truth.dtype.kind in "US") != (names.dtype.kind in "US"):
        raise UsageError("Truth and the columns' labels are not both text or both numbers. Pass labels=[...] to match.")
    order = np.argsort(names)
    place = np.clip(np.searchsorted(names[order], truth), 0, len(names) - 1)
    return np.where(names[order][place] == truth, order[place], -1), given


def _probabilities(given: NDArray) -> NDArray:
    if given.dtype.kind not in "biuf" or not np.all((given >= -ROUNDING) & (given <= 1 + 1e-6)):
        raise UsageError("Expected probabilities between 0 and 1, got something else. Pass predict_proba's answer.")
    return given if given.dtype.kind == "f" else given.astype(np.float64)
