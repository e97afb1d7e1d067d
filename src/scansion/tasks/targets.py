"""Targets as people give them -> label numbers, label sets or numbers, checked."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scansion.errors import DataError, UsageError, shown
from scansion.text.target_cells import LARGEST_NUMBER

Labels = tuple[bool | int | float | str, ...]

KINDS = {str: "text", bool: "booleans", int: "whole numbers", float: "numbers with a point"}
"""What labels may be, all of one kind."""
TO_KIND: dict[type, Callable[[Any], Any]] = {str: str.__str__, int: int.__int__, float: float.__float__}
"""A value of a class derived from one of these, as a plain one."""
SETS = (tuple, list, set, frozenset, np.ndarray)
"""What may hold the labels of one document."""
LARGEST_FLOAT = float(np.finfo(np.float64).max)
DATES = (np.datetime64, np.timedelta64)


def labels_from(targets: Any) -> tuple[Labels, np.ndarray]:
    """The distinct labels in sorted order, and each target's number among them (N,)."""
    values = _listed(targets)
    _check_labels(values, range(len(values)))
    labels = tuple(sorted(set(values)))
    if any(isinstance(label, float) and label != round(label) for label in labels):
        raise UsageError(
            f"Targets such as {labels[0]} are numbers, not labels. Use DocumentRegressor, or turn them into text."
        )
    number = {label: i for i, label in enumerate(labels)}
    return labels, np.fromiter(map(number.__getitem__, values), np.int64, len(values))


def label_sets_from(targets: Any) -> tuple[Labels, np.ndarray] | None:
    """Labels and an (N, labels) matrix of 0 and 1, or None if every document has just one label."""
    if getattr(targets, "ndim", 1) == 2:
        matrix = np.asarray(targets)
        if not np.isin(matrix, (0, 1)).all():
            raise DataError("A matrix of targets holds 0 and 1 only, a column a label. Labels themselves are given as "
                            "a list, one a text.")
        return tuple(range(matrix.shape[1])), matrix.astype(np.float32)
    sets = _listed(targets)
    if not any(isinstance(entry, SETS) for entry in sets):
        return None
    entries = [_labels_in(entry, row) for row, entry in enumerate(sets)]
    if _are_indicators(entries):
        raise UsageError("The targets are lists of 0 and 1 of one length. If each column is a label, give them as an "
                         "array: numpy.array(targets).")
    rows = [row for row, entry in enumerate(entries) for _ in entry]
    _check_labels([label for entry in entries for label in entry], rows)
    labels = tuple(sorted({label for entry in entries for label in entry}))
    if not labels:
        raise DataError("No document has a label; at least one label must occur.")
    return labels, label_set_matrix(entries, labels)


def label_set_matrix(targets: Any, labels: Labels) -> np.ndarray:
    """(N, labels) of 0 and 1; DataError for a label that is not among them."""
    if getattr(targets, "ndim", 1) == 2:
        return np.asarray(targets, np.float32)
    column = {label: i for i, label in enumerate(labels)}
    matrix = np.zeros((len(targets), len(labels)), np.float32)
    for row, entry in enumerate(_listed(targets)):
        for label in _labels_in(entry, row):
            if label not in column:
                raise DataError(f"The label {shown(str(label))} at position {row} was not in the training data.")
            matrix[row, column[label]] = 1
    return matrix


def equal_to(answers: np.ndarray, targets: Any) -> np.ndarray:
    """Which answers are the targets, (N,); DataError for targets that are missing, or can be no answer for their kind.
    """
    values = _listed(targets)
    _check_labels(values, range(len(values)))
    given = answers.tolist()
    if isinstance(values[0], str) != isinstance(given[0], str):
        raise DataError(f"The targets are {KINDS[type(values[0])]}, such as {values[0]!r}, and the model's labels are "
                        f"{KINDS[type(given[0])]}, such as {given[0]!r}: none can match. Give targets of that kind.")
    return np.array([answer == value for answer, value in zip(given, values, strict=True)])


def numbers_from(targets: Any) -> np.ndarray:
    """Targets as finite numbers (N,) float64; DataError with the first position that is not."""
    values = _listed(targets)
    _check_present(values, range(len(values)))
    try:
        numbers = np.array([_as_float(value) for value in values])
    except (TypeError, ValueError) as error:
        raise DataError(f"Expected numbers as targets: {error}. For labels use DocumentClassifier.") from error
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise DataError(
            f"The target at position {wrong[0]} is {numbers[wrong[0]]} ({len(wrong)} in all); drop those rows."
        )
    large = np.flatnonzero(np.abs(numbers) > LARGEST_NUMBER)
    if len(large):
        raise DataError(
            f"The target at position {large[0]} is {shown(str(values[large[0]]), 20)} ({len(large)} such in all); "
            f"expected numbers of at most {LARGEST_NUMBER:g} in size. Drop those rows, or give their logarithms."
        )
    return numbers


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond all floats, which is named as a large one
        return LARGEST_FLOAT


def plain(target: Any) -> Any:
    """A target of numpy's or of a derived class as the plain value that it is; others as they are."""
    if isinstance(target, np.generic) and not isinstance(target, DATES):  # a date would become a count of nanoseconds
        target = target.item()
    if type(target) in KINDS:
        return target
    exact = next((exact for kind, exact in TO_KIND.items() if isinstance(target, kind)), None)
    return target if exact is None else exact(target)


def is_missing(target: Any) -> bool:
    """Whether a target is None, NaN, NaT or pandas.NA."""
    if target is None or isinstance(target, SETS):
        return target is None
    try:
        return bool(target != target)
    except TypeError:  # pandas.NA is neither equal to itself nor not
        return True


def _listed(targets: Any) -> list[Any]:
    """One plain target a text, of whatever holds them."""
    if isinstance(targets, str) or not hasattr(targets, "__iter__"):
        raise UsageError(f"Expected a list of targets, one a text; got {type(targets).__name__}.")
    dimensions = getattr(targets, "ndim", 1)
    if dimensions != 1:
        raise UsageError(f"Expected one target a text, a list of one dimension; got {dimensions}.")
    are_dates = getattr(getattr(targets, "dtype", None), "kind", "") in ("M", "m")
    values = list(map(plain, targets.tolist() if hasattr(targets, "tolist") else targets))
    if not values:
        raise DataError("There are no documents to learn from.")
    if are_dates or any(isinstance(value, DATES) and value == value for value in values):
        raise DataError("The targets are dates or times. Make of each what is to be predicted, such as a year, a "
                        "weekday or a number of days.")
    return values


def _labels_in(entry: Any, row: int) -> list[Any]:
    """The labels of one document. DataError if it is something other than several labels."""
    if is_missing(entry):
        raise DataError(f"The target at position {row} is missing. Drop that row, or give an empty list for no label.")
    if not isinstance(entry, SETS):
        raise DataError(f"The target at position {row} is {shown(str(entry))} and others are lists of labels. Give "
                        f"every document a list, even for one label: [{shown(str(entry))}].")
    return list(map(plain, entry))


def _are_indicators(entries: Sequence[list[Any]]) -> bool:
    """Whether label sets are rather rows of a matrix; as sets of one size, of 0 and 1 alone, they would say nothing."""
    values = {value for entry in entries for value in entry if type(value) in KINDS}
    return values <= {0, 1} and len(set(map(len, entries))) == 1 and len(entries[0]) > 1


def _check_present(values: Sequence[Any], rows: Sequence[int]) -> None:
    if set(map(type, values)) <= {str, int, bool}:
        return
    missing = [row for value, row in zip(values, rows, strict=True) if is_missing(value)]
    if missing:
        raise DataError(f"The target at position {missing[0]} is missing ({len(missing)} in all). Drop those rows.")


def _check_labels(values: Sequence[Any], rows: Sequence[int]) -> None:
    """DataError for what cannot be a label, and for labels of several kinds."""
    _check_present(values, rows)
    first: dict[type, int] = {}
    for number, kind in enumerate(map(type, values)):
        first.setdefault(kind, number)
    for kind, number in first.items():
        if kind not in KINDS:
            raise DataError(f"Labels are text, whole numbers or booleans; the target at position {rows[number]} is "
                            f"{shown(str(values[number]))} ({kind.__name__}). Turn all targets into one of these.")
    if len(first) > 1:
        found = " and ".join(
            f"{KINDS[kind]} ({shown(str(values[number]), 40)} at position {rows[number]})"
            for kind, number in first.items()
        )
        raise DataError(f"Labels must be of one kind; got {found}. Turn them all into text, or all into numbers.")
