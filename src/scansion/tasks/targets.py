"""Targets as people give them -> label numbers, label sets or numbers, checked."""

from typing import Any

import numpy as np

from scansion.errors import DataError, UsageError, shown

Labels = tuple[bool | int | float | str, ...]


def labels_from(targets: Any) -> tuple[Labels, np.ndarray]:
    """The distinct labels in sorted order, and each target's number among them (N,)."""
    array = _one_dimension(targets)
    missing = [i for i, target in enumerate(array.tolist()) if target is None or target != target]
    if missing:
        raise DataError(f"The target at position {missing[0]} is missing ({len(missing)} in all). Drop those rows.")
    if array.dtype == object and len({type(target) for target in array.tolist()}) > 1:
        kinds = sorted({type(target).__name__ for target in array.tolist()})
        raise DataError(f"Labels must be of one kind; got {' and '.join(kinds)}. Turn them all into text.")
    distinct, numbers = np.unique(array, return_inverse=True)
    labels = tuple(distinct.tolist())
    if not all(isinstance(label, bool | int | float | str) for label in labels):
        raise DataError(f"Labels are text, whole numbers or booleans; got {type(labels[0]).__name__}.")
    if any(isinstance(label, float) and label != round(label) for label in labels):
        raise UsageError(
            f"Targets such as {labels[0]} are numbers, not labels. Use DocumentRegressor, or turn them into text."
        )
    return labels, numbers.astype(np.int64)


def label_sets_from(targets: Any) -> tuple[Labels, np.ndarray] | None:
    """Labels and an (N, labels) matrix of 0 and 1, or None if every document has just one label."""
    if getattr(targets, "ndim", 1) == 2:
        matrix = np.asarray(targets)
        if not np.isin(matrix, (0, 1)).all():
            raise DataError("A matrix of targets holds 0 and 1 only: a column a label.")
        return tuple(range(matrix.shape[1])), matrix.astype(np.float32)
    sets = list(targets)
    if not sets or not all(isinstance(entry, tuple | list | set | frozenset) for entry in sets):
        return None
    labels = tuple(sorted({label for entry in sets for label in entry}))
    if not labels:
        raise DataError("No document has a label; at least one label must occur.")
    return labels, label_set_matrix(sets, labels)


def label_set_matrix(targets: Any, labels: Labels) -> np.ndarray:
    """(N, labels) of 0 and 1; DataError for a label that is not among them."""
    if getattr(targets, "ndim", 1) == 2:
        return np.asarray(targets, np.float32)
    column = {label: i for i, label in enumerate(labels)}
    matrix = np.zeros((len(targets), len(labels)), np.float32)
    for row, entry in enumerate(targets):
        for label in entry:
            if label not in column:
                raise DataError(f"The label {shown(str(label))} at position {row} was not in the training data.")
            matrix[row, column[label]] = 1
    return matrix


def numbers_from(targets: Any) -> np.ndarray:
    """Targets as finite numbers (N,) float64; DataError with the first position that is not."""
    array = _one_dimension(targets)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"Expected numbers as targets: {error}. For labels use DocumentClassifier.") from error
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise DataError(
            f"The target at position {wrong[0]} is {numbers[wrong[0]]} ({len(wrong)} in all); drop those rows."
        )
    return numbers


def _one_dimension(targets: Any) -> np.ndarray:
    if isinstance(targets, str) or not hasattr(targets, "__iter__"):
        raise UsageError(f"Expected a list of targets, one a text; got {type(targets).__name__}.")
    array = np.asarray(targets if hasattr(targets, "dtype") else list(targets))
    if array.ndim != 1:
        raise UsageError(f"Expected one target a text, a list of one dimension; got {array.ndim}.")
    if len(array) == 0:
        raise DataError("There are no documents to learn from.")
    return array
