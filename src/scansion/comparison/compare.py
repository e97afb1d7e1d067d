"""``scansion.compare``: every family on the same rows, splits and seeds, and what may be said of the outcome."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from scansion.comparison.conclusion import ranked, row_of, unfinished
from scansion.comparison.result import Comparison, Row
from scansion.comparison.runs import Doing, Outcome, Run, carry_out
from scansion.comparison.translators import comparing_translators
from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.families.catalogue import FAMILIES, Family, WritingFamily, family_from, labelled, name_of
from scansion.families.pretrained import Pretrained
from scansion.heads.catalogue import Head
from scansion.learning.budget import seconds_of
from scansion.learning.convex import fold_rows
from scansion.measures.intervals import interval_of
from scansion.measures.paired import paired_tests
from scansion.measures.scores import main_measure, measure_all
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.manifest import library_versions
from scansion.storage.pretrained import default_at_hand
from scansion.tasks.answers import label_set_matrix
from scansion.tasks.documents import OWN, DocumentClassifier, DocumentRegressor
from scansion.text.documents import SPLITS, check_documents

BASELINE, PRETRAINED = "baseline", "pretrained"
SEEDS, TRANSLATORS_SEEDS = 3, 1


@dataclass(frozen=True)
class _Data:
    texts: list[str]
    targets: list[Any]
    folds: list[tuple[np.ndarray, np.ndarray]]
    split: str
    head: Head
    encoded: np.ndarray


def compare(
    texts: Iterable[str],
    targets: Sequence[Any],
    families: Sequence[str | Family | WritingFamily] | None = None,
    *,
    task: str | None = None,
    test: tuple[Iterable[str], Sequence[Any]] | None = None,
    splits: Sequence[str] | None = None,
    folds: int | None = None,
    test_share: float = 0.2,
    seeds: int | None = None,
    budget: float | str | None = None,
    class_weight: str | None = None,
    pretrain: str | None = None,
    unlabelled: Iterable[str] | None = None,
    processes: int | None = None,
    random_state: int = 0,
) -> Comparison:
    """Train families on the same rows and say which one to use.

    ``families``: names or configurations, by default :func:`usual_families`; the baseline is always there.
    ``task``: ``classify``, ``regress`` or ``translate``, else what the targets look like, classify or regress.  The
    test rows are ``test`` if given, else those whose entry in ``splits`` is "test", else every row once in ``folds``
    parts, else a random ``test_share``, labels in proportion.  ``seeds``: runs of each family that draws at random,
    three unless given; of translators, one.  ``budget`` bounds the whole comparison (``"5m"``).  ``pretrain="own"`` adds a row for each family
    that can first learn from the training texts, and from those ``unlabelled``, without their answers.
    UsageError and DataError for arguments and data that do not fit together.
    """
    *_, comparison = comparing(
        texts, targets, families, task=task, test=test, splits=splits, folds=folds, test_share=test_share, seeds=seeds,
        budget=budget, class_weight=class_weight, pretrain=pretrain, unlabelled=unlabelled, processes=processes,
        random_state=random_state,
    )
    return comparison


def comparing(
    texts: Iterable[str],
    targets: Sequence[Any],
    families: Sequence[str | Family | WritingFamily] | None = None,
    *,
    task: str | None = None,
    test: tuple[Iterable[str], Sequence[Any]] | None = None,
    splits: Sequence[str] | None = None,
    folds: int | None = None,
    test_share: float = 0.2,
    seeds: int | None = None,
    budget: float | str | None = None,
    class_weight: str | None = None,
    pretrain: str | None = None,
    unlabelled: Iterable[str] | None = None,
    processes: int | None = None,
    random_state: int = 0,
) -> Iterator[Doing | Outcome | Comparison]:
    """The same as :func:`compare`, as a generator of what happens; the last is the :class:`Comparison`.

    Interrupted, it still yields the comparison of what was finished, and raises KeyboardInterrupt after it.
    """
    if seeds is not None and seeds < 1:
        raise UsageError(f"seeds must be at least 1, got {seeds}.")
    if task == "translate":
        _check_translating(splits, folds, class_weight, pretrain, unlabelled)
        seeds = TRANSLATORS_SEEDS if seeds is None else seeds
        yield from comparing_translators(
            texts, targets, families, test, test_share, seeds, budget, processes, random_state
        )
        return
    begun = time.monotonic()
    seconds, seeds = seconds_of(budget), SEEDS if seeds is None else seeds
    chosen = _families(families)
    data = _data(texts, targets, task, test, splits, folds, test_share, random_state)
    _check_class_weight(class_weight, data.head)
    named = "mean" if data.head.kind == "regression" else "majority"
    own = _pretrained_too(chosen, pretrain, unlabelled)
    chosen = {named: FAMILIES[BASELINE](), **chosen, **own}
    runs = [
        Run(
            label, family, random_state + seed, fold, _task_of(data.head), class_weight, processes,
            OWN if label in own else None,
        )
        for label, family in sorted(chosen.items(), key=lambda item: item[1].learner != "convex")
        for seed in range(seeds if family.learner == "gradient" else 1)
        for fold in range(len(data.folds))
    ]
    more = [] if unlabelled is None else list(check_documents(unlabelled))
    outcomes, interrupted = yield from carry_out(runs, begun + seconds, data.texts, data.targets, data.folds, more)
    settings = {
        "seeds": seeds, "random_state": random_state, "budget": budget, "class_weight": class_weight,
        "pretrain": pretrain, "unlabelled": len(more),
    }
    yield _conclude(data, chosen, runs, outcomes, named, interrupted, settings)
    if interrupted:
        raise KeyboardInterrupt


def usual_families() -> list[Family]:
    """All of them, the pretrained one if its default weights are installed."""
    left_out = {BASELINE} if default_at_hand() else {BASELINE, PRETRAINED}
    return [kind() for name, kind in FAMILIES.items() if name not in left_out]


def _families(families: Sequence[str | Family] | None) -> dict[str, Family]:
    if families is None:
        return labelled(usual_families())
    given = map(family_from, [families] if isinstance(families, str) else families)
    return labelled(family for family in given if name_of(family) != BASELINE)


def _pretrained_too(
    chosen: dict[str, Family], pretrain: str | None, unlabelled: Iterable[str] | None
) -> dict[str, Family]:
    """Those of the chosen that can learn from texts without answers first, under names that say so."""
    if pretrain not in (None, OWN):
        raise UsageError(f"pretrain is None or {OWN!r}; got {pretrain!r}.")
    if pretrain is None and unlabelled is not None:
        raise UsageError(f"Texts without answers are for pretraining. Give pretrain={OWN!r} (--pretrain own) too.")
    own = {} if pretrain is None else {
        f"{label}, pretrained on own": family for label, family in chosen.items()
        if family.learner == "gradient" and not isinstance(family, Pretrained)
    }
    if pretrain is not None and not own:
        raise UsageError("None of these families can be pretrained on your texts; rnn, lstm and transformer can.")
    return own


def _data(texts, targets, task, test, splits, folds, test_share, random_state) -> _Data:
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
        held = _share_of(head, encoded, test_share, random_state)
        parts, split = [(np.setdiff1d(rows, held), held)], f"a random {test_share:.0%} as test rows"
    if any(len(train) < 2 or len(held) < 2 for train, held in parts):
        raise DataError(f"There are too few rows to compare on: {len(parts[0][0])} for training, {len(parts[0][1])} to "
                        "test. At least 2 of each are needed; some hundreds say something.")
    return _Data(texts, targets, parts, split, head, encoded)


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


def _share_of(head: Head, encoded: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Row numbers of a random share, labels in proportion: evenly spaced in the order that folds are dealt from."""
    order = np.concatenate(fold_rows(head, encoded, len(encoded), seed))
    exact = Fraction(str(share))  # in floats 3 * 0.2 is more than 0.6, and a row would change sides
    return np.sort(order[[ceil((i + 1) * exact) > ceil(i * exact) for i in range(len(order))]])


def _check_translating(
    splits: Sequence[str] | None, folds: int | None, class_weight: str | None, pretrain: str | None,
    unlabelled: Iterable[str] | None,
) -> None:
    for name, given in (
        ("splits", splits), ("folds", folds), ("class_weight", class_weight), ("pretrain", pretrain),
        ("unlabelled", unlabelled),
    ):
        if given is not None:
            raise UsageError(f"{name} is for documents. To compare translators, leave it out.")


def _check_class_weight(class_weight: str | None, head: Head) -> None:
    if class_weight not in (None, "balanced"):
        raise UsageError(f"class_weight is None or 'balanced'; got {class_weight!r}.")
    if class_weight and head.kind == "regression":
        raise UsageError("class_weight is for labels, and these targets are numbers. Leave it out.")


def _head_for(task: str | None, targets: list[Any]) -> tuple[Head, np.ndarray]:
    if task not in (None, "classify", "regress"):
        raise UsageError(f"task is 'classify', 'regress' or 'translate'; got {task!r}.")
    if task is None:
        numbers = any(isinstance(target, float) and not target.is_integer() for target in targets)
        task = "regress" if numbers else "classify"
    estimator = DocumentRegressor() if task == "regress" else DocumentClassifier()
    return estimator.head_for([tuple(t) if isinstance(t, list) else t for t in targets])


def _task_of(head: Head) -> str:
    return "regress" if head.kind == "regression" else "classify"


def _conclude(
    data: _Data, chosen: dict[str, Family], runs: list[Run], outcomes: list[Outcome], baseline: str, interrupted: bool,
    settings: dict[str, Any],
) -> Comparison:
    kind, measure = data.head.kind, main_measure(data.head.kind)
    truth = _comparable(data.head, [data.targets[i] for _, test in data.folds for i in test])
    predictions: dict[str, list[np.ndarray]] = {}
    rows: list[Row] = []
    for label in chosen:
        mine = [outcome for outcome in outcomes if outcome.run.label == label]
        if failed := unfinished(label, mine, runs):
            rows.append(failed)
            continue
        seeds = sorted({outcome.run.seed for outcome in mine})
        predictions[label] = [
            _comparable(data.head, [a for o in mine if o.run.seed == seed for a in o.answers]) for seed in seeds
        ]
        interval = interval_of(kind, measure, truth, predictions[label])
        by_seed = [measure_all(kind, truth, prediction) for prediction in predictions[label]]
        rows.append(row_of(label, interval, measure, by_seed, mine))
    pairs, adjusted = paired_tests(kind, measure, truth, predictions) if predictions else ({}, np.zeros((0, 0)))
    ordered, verdict = ranked(rows, chosen, pairs, adjusted, measure, len(truth), baseline)
    return Comparison(
        _task_of(data.head), measure, ordered, verdict, pairs, adjusted, tuple(predictions),
        len(data.folds[0][0]), len(truth), _duplicates(data), _facts(data) | settings, library_versions(), interrupted,
    )


def _comparable(head: Head, answers: list[Any]) -> np.ndarray:
    """Answers as the measures take them: label numbers, an (N, labels) matrix, or numbers."""
    if head.kind == "regression":
        return np.asarray(answers, np.float64)
    if head.kind == "multilabel":
        return label_set_matrix(answers, head.labels).astype(np.int64)
    number = {label: i for i, label in enumerate(head.labels)}
    return np.array([number[answer] for answer in answers])


def _duplicates(data: _Data) -> int:
    """Test texts that the same fold's training rows hold too, letter for letter."""
    found = 0
    for train, test in data.folds:
        seen = {data.texts[i] for i in train}
        found += sum(data.texts[i] in seen for i in test)
    return found


def _facts(data: _Data) -> dict[str, Any]:
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
