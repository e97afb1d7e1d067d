"""How a comparison splits labelled documents and judges answers to them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.heads.catalogue import Head
from scansion.learning.folds import fold_rows
from scansion.measures.calibration import calibration_of
from scansion.measures.confusion import Confusion, confusion_of, found_labels
from scansion.measures.disagreements import GivenAnswer, disagreements, most_split
from scansion.measures.evidence import Evidence
from scansion.measures.intervals import Interval, interval_of
from scansion.measures.metric import METRICS
from scansion.measures.paired import PairedTest, paired_tests
from scansion.measures.scores import main_measure, measure_all
from scansion.measures.shared_errors import is_wrong, shared_errors_of
from scansion.storage.fingerprints import fingerprint_of
from scansion.tasks.classifier import DocumentClassifier
from scansion.tasks.regressor import DocumentRegressor
from scansion.tasks.targets import SETS, is_missing, label_set_matrix, plain
from scansion.tasks.task import ComparedData, Parts
from scansion.text.documents import SPLITS, check_documents
from scansion.text.frames import input_columns
from scansion.text.word_tokenizer import read_words

FEWEST_ROWS_A_LABEL, FEWEST_ROWS = 8, 16


class DocumentTargets:
    """The head that a comparison's targets need, and the targets as it encodes them."""

    def __init__(self, head: Head, encoded: NDArray) -> None:
        self.head, self.encoded = head, encoded


def compared_documents(
    texts: Iterable[str], targets: Iterable[Any], task: str, test: tuple[Iterable[str], Sequence[Any]] | None,
    splits: Sequence[str] | None, folds: int | None, test_share: float, random_state: int,
) -> ComparedData:
    """See :func:`scansion.compare`. UsageError and DataError for what does not fit together."""
    columns = input_columns(texts, targets).text
    texts, targets = list(check_documents(texts, columns)), list(targets)
    if len(texts) != len(targets):
        raise UsageError(f"There are {len(texts):,} texts but {len(targets):,} targets; give one target a text.")
    given = [name for name, value in (("test", test), ("splits", splits), ("folds", folds)) if value is not None]
    if len(given) > 1:
        raise UsageError(f"Give one of test, splits and folds; got {' and '.join(given)}.")
    own = len(texts)
    if test is not None:
        texts, targets = texts + list(check_documents(test[0], columns)), targets + list(test[1])
        if len(texts) != len(targets):
            raise UsageError("The test set has not one target a text.")
    targets = [_plain(target) for target in targets]
    head, encoded = _head_for(task, targets)
    parts, split = _parts(head, encoded, own, test is not None, splits, folds, test_share, random_state)
    if any(len(train) < 2 or len(held) < 2 for train, held in parts):
        raise DataError(f"There are too few rows to compare on: {len(parts[0][0])} for training, {len(parts[0][1])} to "
                        "test. At least 2 of each are needed; some hundreds say something.")
    return ComparedData(texts, targets, parts, split, DocumentTargets(head, encoded))


def _parts(
    head: Head, encoded: NDArray, own: int, tested: bool, splits: Sequence[str] | None, folds: int | None,
    test_share: float, random_state: int,
) -> tuple[Parts, str]:
    """Training and test rows of each fold, and how they were chosen; the rows behind ``own`` are a test set's."""
    rows = np.arange(len(encoded))
    if tested:
        return [(rows[:own], rows[own:])], "the test set given"
    if splits is not None:
        held = _held_by(splits, own)
        return [(rows[~held], rows[held])], "the split given"
    if folds is not None:
        if not 2 <= folds <= len(rows):
            raise UsageError(f"folds must be between 2 and the number of texts ({len(rows):,}); got {folds}.")
        parts = [(np.setdiff1d(rows, part), part) for part in fold_rows(head, encoded, folds, random_state)]
        return parts, f"{folds} folds, every row once in a test part"
    if not 0 < test_share < 1:
        raise UsageError(f"test_share must lie between 0 and 1; got {test_share}.")
    held = share_of(head, encoded, test_share, random_state)
    return [(np.setdiff1d(rows, held), held)], f"a random {test_share:.0%} as test rows"


def _plain(target: Any) -> Any:
    """A target as JSON holds it; a row of a matrix of 0 and 1 as the numbers of its labels."""
    if isinstance(target, np.ndarray) and target.ndim and target.dtype.kind in "biuf":
        return np.flatnonzero(target).tolist()
    if isinstance(target, SETS) and not (isinstance(target, np.ndarray) and not target.ndim):
        labels = list(map(plain, target))
        return sorted(labels) if len(set(map(type, labels))) == 1 else labels
    return plain(target[()] if isinstance(target, np.ndarray) else target)


def _held_by(splits: Sequence[str], rows: int) -> NDArray:
    """Which rows are test rows, (N,); the rest, ``valid`` too, are for training."""
    if len(splits) != rows:
        raise UsageError(f"There are {rows:,} texts but {len(splits):,} splits; give one a text.")
    for row, split in enumerate(splits):
        if str(split).lower() not in SPLITS:
            raise DataError(f"The split at position {row} is {shown(str(split))}{did_you_mean(str(split), SPLITS)}")
    return np.array([SPLITS[str(split).lower()] == "test" for split in splits], bool)


def share_of(head: Head, encoded: NDArray, share: float, seed: int) -> NDArray:
    """Row numbers of a random share, labels in proportion: evenly spaced in the order that folds are dealt from."""
    order = np.concatenate(fold_rows(head, encoded, len(encoded), seed))
    exact = Fraction(str(share))  # in floats 3 * 0.2 is more than 0.6, and a row would change sides
    return np.sort(order[[ceil((i + 1) * exact) > ceil(i * exact) for i in range(len(order))]])


ESTIMATORS = {"classify": DocumentClassifier, "regress": DocumentRegressor}


def task_of(targets: Iterable[Any]) -> str:
    """What targets look like: numbers that are not whole are regressed, anything else is a label."""
    numbers = any(
        isinstance(target, float) and not (is_missing(target) or target.is_integer()) for target in map(_plain, targets)
    )
    return DocumentRegressor.task if numbers else DocumentClassifier.task


def _head_for(task: str, targets: list[Any]) -> tuple[Head, NDArray]:
    return ESTIMATORS[task]().head_for([tuple(t) if isinstance(t, list) else t for t in targets])


class DocumentScoring:
    """Answers to the tested documents of ``data``, judged by the main measure of their kind; see :class:`Scoring`."""

    def __init__(self, data: ComparedData) -> None:
        self.data, self.head = data, data.encoded.head
        self.kind = self.head.kind
        self.metric = METRICS[main_measure(self.kind)]
        self.truth = self.prediction([data.targets[row] for row in data.tested])

    def prediction(self, answers: list[Any]) -> NDArray:
        """Answers as the measures take them: label numbers, an (N, labels) matrix, or numbers."""
        if self.kind == "regression":
            return np.asarray(answers, np.float64)
        if self.kind == "multilabel":
            return label_set_matrix(answers, self.head.labels).astype(np.int64)
        number = {label: i for i, label in enumerate(self.head.labels)}
        return np.array([number[answer] for answer in answers])

    def interval(self, predictions: Sequence[NDArray], rows: NDArray | None = None) -> Interval:
        """See :class:`scansion.tasks.task.Scoring`."""
        mine = slice(None) if rows is None else rows
        return interval_of(self.kind, self.metric.name, self.truth[mine], [each[mine] for each in predictions])

    def measures(self, prediction: NDArray) -> dict[str, float]:
        """See :class:`scansion.tasks.task.Scoring`."""
        return measure_all(self.kind, self.truth, prediction)

    def paired_tests(
        self, predictions: Mapping[str, Sequence[NDArray]]
    ) -> tuple[dict[tuple[str, str], PairedTest], NDArray]:
        """See :class:`scansion.tasks.task.Scoring`."""
        return paired_tests(self.kind, self.metric.name, self.truth, predictions)

    def evidence(
        self, predictions: Mapping[str, NDArray], confidences: Mapping[str, NDArray], baseline: str
    ) -> Evidence:
        """Calibration of all; confusion or labels; shared errors and disagreements of all but the baseline."""
        kind, truth, labels, data = self.kind, self.truth, self.head.labels, self.data
        calibration = {
            label: calibration_of(kind, truth, mine, confidences.get(label)) for label, mine in predictions.items()
        }
        rivals = {label: mine for label, mine in predictions.items() if label != baseline}
        rows = most_split(kind, rivals, {label: confidences[label] for label in rivals if label in confidences})
        given = {
            label: [self._given(label, mine, confidences.get(label), row) for row in rows]
            for label, mine in rivals.items()
        }
        tested = data.tested
        return Evidence(
            confusion_of(labels, truth, predictions) if kind == "multiclass" else Confusion(),
            found_labels(labels, truth, predictions) if kind == "multilabel" else (),
            {label: each for label, each in calibration.items() if each is not None},
            shared_errors_of(kind, truth, rivals),
            disagreements(rows, [data.inputs[i] for i in tested], tested, [data.targets[i] for i in tested], given),
        )

    def _given(self, label: str, answers: NDArray, confidences: NDArray | None, row: int) -> GivenAnswer:
        if self.kind == "regression":
            return GivenAnswer(label, float(answers[row]))
        right = not is_wrong(self.truth[row : row + 1], answers[row : row + 1])[0]
        if self.kind == "multilabel":
            return GivenAnswer(label, [self.head.labels[i] for i in np.flatnonzero(answers[row])], right)
        probability = None if confidences is None else float(confidences[row])
        return GivenAnswer(label, self.head.labels[answers[row]], right, probability)


def label_groups(data: ComparedData, rows: NDArray) -> NDArray | None:
    """What a smaller part of these rows keeps in proportion: their labels; None for numbers."""
    return data.encoded.head.group(data.encoded.encoded[rows])


def fewest_rows(data: ComparedData) -> int:
    """The least rows that a learning curve begins with."""
    return max(FEWEST_ROWS, FEWEST_ROWS_A_LABEL * len(data.encoded.head.labels))


def facts_of_documents(data: ComparedData) -> dict[str, Any]:
    """What is worth knowing of the data before believing any score."""
    head, encoded = data.encoded.head, data.encoded.encoded
    lengths = np.array([len(text.split()) for text in data.inputs])
    quantiles = np.quantile(lengths, [0.5, 0.95, 1.0]).astype(int).tolist()
    train = data.folds[0][0]
    facts: dict[str, Any] = {
        "split": data.split, "rows": len(data.inputs),
        "words_median": quantiles[0], "words_95_percent": quantiles[1], "words_longest": quantiles[2],
        "duplicates_inside_training": len(train) - len({data.inputs[i] for i in train}),
        "reading": "; ".join(read_words(data.inputs).reading.notes(len(data.inputs))) or None,
        "data_fingerprint": fingerprint_of(data.inputs),
        "targets_fingerprint": fingerprint_of(json.dumps(target) for target in data.targets),
    }
    if head.kind == "regression":
        low, middle, high = np.quantile(np.asarray(data.targets, np.float64), [0, 0.5, 1]).tolist()
        return facts | {"target_least": low, "target_median": middle, "target_greatest": high}
    held = encoded.sum(axis=0).astype(int) if encoded.ndim == 2 else np.bincount(encoded, minlength=len(head.labels))
    return facts | {"labels": {str(label): n for label, n in zip(head.labels, held.tolist(), strict=True)}}
