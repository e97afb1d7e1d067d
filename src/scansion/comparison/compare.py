"""``scansion.compare``: every family on the same rows, splits and seeds, and what may be said of the outcome."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from scansion.comparison.conclusion import ranked, row_of, unfinished
from scansion.comparison.evidence import confidences_of, evidence_of
from scansion.comparison.learning_curve import curve_of, smaller_parts
from scansion.comparison.lengths import by_length
from scansion.comparison.result import Comparison, Row
from scansion.comparison.rows import ComparedRows, comparable, duplicates, facts_of, rows_to_compare_on
from scansion.comparison.runs import Doing, Outcome, Run, carry_out
from scansion.comparison.translators import comparing_translators
from scansion.errors import UsageError
from scansion.families.catalogue import FAMILIES, Family, WritingFamily, family_from, labelled, name_of
from scansion.families.pretrained import Pretrained
from scansion.heads.catalogue import Head
from scansion.learning.budget import seconds_of
from scansion.measures.intervals import interval_of
from scansion.measures.paired import paired_tests
from scansion.measures.scores import main_measure, measure_all
from scansion.storage.manifest import library_versions
from scansion.storage.pretrained import default_at_hand
from scansion.tasks.documents import OWN, check_pretraining
from scansion.text.documents import check_documents

BASELINE, PRETRAINED = "baseline", "pretrained"
SEEDS, TRANSLATORS_SEEDS = 3, 1


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
    learning_curve: bool = False,
    random_state: int = 0,
) -> Comparison:
    """Train families on the same rows and say which one to use.

    ``families``: names or configurations, by default :func:`usual_families`; the baseline is always there.
    ``task``: ``classify``, ``regress`` or ``translate``, else what the targets look like, classify or regress.  The
    test rows are ``test`` if given, else those whose entry in ``splits`` is "test", else every row once in ``folds``
    parts, else a random ``test_share``, labels in proportion.  ``seeds``: runs of each family that draws at random,
    three unless given; of translators, one.  ``budget`` bounds the whole comparison (``"5m"``).  ``pretrain="own"``
    adds a row for each family that can first learn from the training texts, and from those ``unlabelled``, without
    their answers.
    ``learning_curve`` adds every family's score on fewer training rows, and where one overtakes another.
    UsageError and DataError for arguments and data that do not fit together.
    """
    *_, comparison = comparing(
        texts, targets, families, task=task, test=test, splits=splits, folds=folds, test_share=test_share, seeds=seeds,
        budget=budget, class_weight=class_weight, pretrain=pretrain, unlabelled=unlabelled, processes=processes,
        learning_curve=learning_curve, random_state=random_state,
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
    learning_curve: bool = False,
    random_state: int = 0,
) -> Iterator[Doing | Outcome | Comparison]:
    """The same as :func:`compare`, as a generator of what happens; the last is the :class:`Comparison`.

    Interrupted, it still yields the comparison of what was finished, and raises KeyboardInterrupt after it.
    """
    if seeds is not None and seeds < 1:
        raise UsageError(f"seeds must be at least 1, got {seeds}.")
    if task == "translate":
        _check_translating({
            "splits": splits, "folds": folds, "class_weight": class_weight, "pretrain": pretrain,
            "unlabelled": unlabelled, "learning_curve": learning_curve or None,
        })
        seeds = TRANSLATORS_SEEDS if seeds is None else seeds
        yield from comparing_translators(
            texts, targets, families, test, test_share, seeds, budget, processes, random_state
        )
        return
    begun = time.monotonic()
    seconds, seeds = seconds_of(budget), SEEDS if seeds is None else seeds
    chosen = _families(families)
    data = rows_to_compare_on(texts, targets, task, test, splits, folds, test_share, random_state)
    _check_class_weight(class_weight, data.head)
    baseline = "mean" if data.head.kind == "regression" else "majority"
    own = _pretrained_too(chosen, pretrain, unlabelled)
    chosen = {baseline: FAMILIES[BASELINE](), **chosen, **own}
    parts = smaller_parts(data, seeds, random_state) if learning_curve else []
    runs = [
        Run(label, family, random_state + seed, fold, data.task, class_weight, processes, OWN if label in own else None)
        for label, family in sorted(chosen.items(), key=lambda item: item[1].learner != "convex")
        for seed, fold in _seeds_and_folds(family, seeds, len(data.folds), len(parts))
    ]
    more = [] if unlabelled is None else list(check_documents(unlabelled))
    outcomes, interrupted = yield from carry_out(
        runs, begun + seconds, data.texts, data.targets, data.folds + parts, more
    )
    settings = {
        "seeds": seeds, "random_state": random_state, "budget": budget, "class_weight": class_weight,
        "pretrain": pretrain, "unlabelled": len(more),
    }
    yield _conclude(data, chosen, runs, outcomes, baseline, interrupted, settings, parts)
    if interrupted:
        raise KeyboardInterrupt


def _seeds_and_folds(family: Family, seeds: int, folds: int, parts: int) -> Iterator[tuple[int, int]]:
    """Every fold under every seed; and each smaller part, behind the folds, under the seed it was drawn with."""
    for seed in range(seeds if family.learner == "gradient" else 1):
        yield from ((seed, fold) for fold in range(folds))
    yield from ((part % seeds, folds + part) for part in range(parts))


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
    check_pretraining(pretrain, unlabelled)
    own = {} if pretrain is None else {
        f"{label} + own": family for label, family in chosen.items()
        if family.learner == "gradient" and not isinstance(family, Pretrained)
    }
    if pretrain is not None and not own:
        raise UsageError("None of these families can be pretrained on your texts; rnn, lstm and transformer can.")
    return own


def _check_translating(of_documents: dict[str, Any]) -> None:
    for name, given in of_documents.items():
        if given is not None:
            raise UsageError(f"{name} is for documents. To compare translators, leave it out.")


def _check_class_weight(class_weight: str | None, head: Head) -> None:
    if class_weight not in (None, "balanced"):
        raise UsageError(f"class_weight is None or 'balanced'; got {class_weight!r}.")
    if class_weight and head.kind == "regression":
        raise UsageError("class_weight is for labels, and these targets are numbers. Leave it out.")


def _conclude(
    data: ComparedRows, chosen: dict[str, Family], runs: list[Run], outcomes: list[Outcome], baseline: str,
    interrupted: bool, settings: dict[str, Any], parts: list[tuple[np.ndarray, np.ndarray]],
) -> Comparison:
    kind, measure = data.head.kind, main_measure(data.head.kind)
    truth = comparable(data.head, [data.targets[i] for _, test in data.folds for i in test])
    whole = [run for run in runs if run.fold < len(data.folds)]
    predictions: dict[str, list[np.ndarray]] = {}
    confidences: dict[str, np.ndarray] = {}
    rows: list[Row] = []
    for label in chosen:
        mine = [outcome for outcome in outcomes if outcome.run.label == label and outcome.run.fold < len(data.folds)]
        if failed := unfinished(label, mine, whole):
            rows.append(failed)
            continue
        seeds = sorted({outcome.run.seed for outcome in mine})
        predictions[label] = [
            comparable(data.head, [a for o in mine if o.run.seed == seed for a in o.answers]) for seed in seeds
        ]
        sure = confidences_of([outcome for outcome in mine if outcome.run.seed == seeds[0]])
        confidences |= {} if sure is None else {label: sure}
        interval = interval_of(kind, measure, truth, predictions[label])
        by_seed = [measure_all(kind, truth, prediction) for prediction in predictions[label]]
        rows.append(row_of(label, interval, measure, by_seed, mine))
    pairs, adjusted = paired_tests(kind, measure, truth, predictions) if predictions else ({}, np.zeros((0, 0)))
    ordered, verdict = ranked(rows, chosen, pairs, adjusted, measure, len(truth), baseline)
    return Comparison(
        data.task, measure, ordered, verdict, pairs, adjusted, tuple(predictions), len(data.folds[0][0]), len(truth),
        duplicates(data), facts_of(data) | settings, library_versions(), interrupted,
        by_length=by_length(
            [data.texts[i] for _, test in data.folds for i in test], list(predictions),
            lambda label, mine: interval_of(kind, measure, truth[mine], [each[mine] for each in predictions[label]]),
            [outcome for outcome in outcomes if outcome.run.fold < len(data.folds)],
        ),
        learning_curve=curve_of(data, parts, outcomes, predictions, truth),
        evidence=evidence_of(
            data, truth, {row.family: predictions[row.family][0] for row in ordered if row.family in predictions},
            confidences, baseline,
        ),
    )
