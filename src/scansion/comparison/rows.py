"""The rows of a comparison: texts and targets, and which of them are for training and which to test."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.heads.catalogue import Head
from scansion.learning.convex import fold_rows
from scansion.storage.fingerprints import fingerprint_of
from scansion.tasks.answers import label_set_matrix
from scansion.tasks.documents import DocumentClassifier, DocumentRegressor
from scansion.text.documents import SPLITS, check_documents


@dataclass(frozen=True)
class ComparedRows:
    """Texts and targets, their folds as row numbers (training, test), how they were split, and what head they need."""

    texts: list[str]
    targets: list[Any]
    folds: list[tuple[np.ndarray, np.ndarray]]
    split: str
    head: Head
    encoded: np.ndarray

    @property
    def task(self) -> str:
        """``classify`` or ``regress``."""
        return "regress" if self.head.kind == "regression" else "classify"


def rows_to_compare_on(
    texts: Iterable[str], targets: Iterable[Any], task: str | None, test: tuple[Iterable[str], Sequence[Any]] | None,
    splits: Sequence[str] | None, folds: int | None, test_share: float, random_state: int,
) -> ComparedRows:
    """See :func:`scansion.compare`. UsageError and DataError for what does not fit together."""
    texts, targets = list(check_documents(texts)), list(targets)
    if len(texts) != len(targets):
        raise UsageError(f"There are {len(texts):,} texts but {len(targets):,} targets; give one target a text.")
    given = [name for name, value in (("test", test), ("splits", splits), ("folds", folds)) if value is not None]
    if len(given) > 1:
        raise UsageError(f"Give one of test, splits and folds; got {' and '.join(given)}.")
    own = len(texts)
    if test is not None:
        texts, targets = texts + list(check_documents(test[0])), targets + list(test[1])
        if len(texts) != len(targets):
            raise UsageError("The test set has not one target a text.")
    targets = [_plain(target) for target in targets]
    head, encoded = _head_for(task, targets)
    rows = np.arange(len(texts))
    if test is not None:
        parts, split = [(rows[:own], rows[own:])], "the test set given"
    elif splits is not None:
        held = _held_by(splits, own)
        parts, split = [(rows[~held], rows[held])], "the split given"
    elif folds is not None:
        if not 2 <= folds <= len(texts):
            raise UsageError(f"folds must be between 2 and the number of texts ({len(texts):,}); got {folds}.")
        parts = [(np.setdiff1d(rows, part), part) for part in fold_rows(head, encoded, folds, random_state)]
        split = f"{folds} folds, every row once in a test part"
    else:
        if not 0 < test_share < 1:
            raise UsageError(f"test_share must lie between 0 and 1; got {test_share}.")
        held = share_of(head, encoded, test_share, random_state)
        parts, split = [(np.setdiff1d(rows, held), held)], f"a random {test_share:.0%} as test rows"
    if any(len(train) < 2 or len(held) < 2 for train, held in parts):
        raise DataError(f"There are too few rows to compare on: {len(parts[0][0])} for training, {len(parts[0][1])} to "
                        "test. At least 2 of each are needed; some hundreds say something.")
    return ComparedRows(texts, targets, parts, split, head, encoded)


def _plain(target: Any) -> Any:
    """A target as JSON holds it; a row of a matrix of 0 and 1 as the numbers of its labels."""
    if isinstance(target, np.ndarray) and target.ndim:
        return np.flatnonzero(target).tolist()
    if isinstance(target, tuple | list | set | frozenset):
        return sorted(target)
    return target.item() if isinstance(target, np.generic | np.ndarray) else target


def _held_by(splits: Sequence[str], rows: int) -> np.ndarray:
    """Which rows are test rows, (N,); the rest, ``valid`` too, are for training."""
    if len(splits) != rows:
        raise UsageError(f"There are {rows:,} texts but {len(splits):,} splits; give one a text.")
    for row, split in enumerate(splits):
        if str(split).lower() not in SPLITS:
            raise DataError(f"The split at position {row} is {shown(str(split))}{did_you_mean(str(split), SPLITS)}")
    return np.array([SPLITS[str(split).lower()] == "test" for split in splits], bool)


def share_of(head: Head, encoded: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Row numbers of a random share, labels in proportion: evenly spaced in the order that folds are dealt from."""
    order = np.concatenate(fold_rows(head, encoded, len(encoded), seed))
    exact = Fraction(str(share))  # in floats 3 * 0.2 is more than 0.6, and a row would change sides
    return np.sort(order[[ceil((i + 1) * exact) > ceil(i * exact) for i in range(len(order))]])


def _head_for(task: str | None, targets: list[Any]) -> tuple[Head, np.ndarray]:
    if task not in (None, "classify", "regress"):
        raise UsageError(f"task is 'classify', 'regress' or 'translate'; got {task!r}.")
    if task is None:
        numbers = any(isinstance(target, float) and not target.is_integer() for target in targets)
        task = "regress" if numbers else "classify"
    estimator = DocumentRegressor() if task == "regress" else DocumentClassifier()
    return estimator.head_for([tuple(t) if isinstance(t, list) else t for t in targets])


def comparable(head: Head, answers: list[Any]) -> np.ndarray:
    """Answers as the measures take them: label numbers, an (N, labels) matrix, or numbers."""
    if head.kind == "regression":
        return np.asarray(answers, np.float64)
    if head.kind == "multilabel":
        return label_set_matrix(answers, head.labels).astype(np.int64)
    number = {label: i for i, label in enumerate(head.labels)}
    return np.array([number[answer] for answer in answers])


def duplicates(data: ComparedRows) -> int:
    """Test texts that the same fold's training rows hold too, letter for letter."""
    found = 0
    for train, test in data.folds:
        seen = {data.texts[i] for i in train}
        found += sum(data.texts[i] in seen for i in test)
    return found


def facts_of(data: ComparedRows) -> dict[str, Any]:
    """What is worth knowing of the data before believing any score."""
    lengths = np.array([len(text.split()) for text in data.texts])
    quantiles = np.quantile(lengths, [0.5, 0.95, 1.0]).astype(int).tolist()
    train = data.folds[0][0]
    facts: dict[str, Any] = {
        "split": data.split, "rows": len(data.texts),
        "words_median": quantiles[0], "words_95_percent": quantiles[1], "words_longest": quantiles[2],
        "duplicates_inside_training": len(train) - len({data.texts[i] for i in train}),
        "data_fingerprint": fingerprint_of(data.texts),
        "targets_fingerprint": fingerprint_of(json.dumps(target) for target in data.targets),
    }
    if data.head.kind == "multiclass":
        counts = np.bincount(data.encoded, minlength=len(data.head.labels)).tolist()
        facts["labels"] = {str(label): count for label, count in zip(data.head.labels, counts, strict=True)}
    elif data.head.kind == "multilabel":
        held = label_set_matrix(data.targets, data.head.labels).sum(axis=0).astype(int).tolist()
        facts["labels"] = {str(label): count for label, count in zip(data.head.labels, held, strict=True)}
    else:
        low, middle, high = np.quantile(np.asarray(data.targets, np.float64), [0, 0.5, 1]).tolist()
        facts |= {"target_least": low, "target_median": middle, "target_greatest": high}
    return facts
