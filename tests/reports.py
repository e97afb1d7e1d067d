"""Comparisons that nobody had to train for: answers drawn at random in the place of the workers'."""

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scansion.comparison.compare import Plan, _conclude
from scansion.comparison.learning_curve import smaller_parts
from scansion.comparison.result import Comparison
from scansion.comparison.run import Outcome, Run
from scansion.families.bag_of_words import BagOfWords
from scansion.families.baseline import Baseline
from scansion.families.lstm import LSTM
from scansion.families.ngrams import NGrams
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.measures.metric import METRICS
from scansion.tasks.catalogue import compared_task
from scansion.tasks.document_scoring import DocumentScoring
from scansion.tasks.task import ComparedData

CHOSEN = {
    "majority": Baseline(), "bag-of-words": BagOfWords(), "n-grams": NGrams(), "rnn": RNN(), "lstm": LSTM(),
    "lstm + own": LSTM(), "transformer": Transformer(), "transformer-2": Transformer(layers=2),
}
UNTRAINED = "its first epoch was not done after 3 steps"
TEXT = "a film about nothing much that somehow says a great deal of those who wait for it to end"


class ByError(DocumentScoring):
    """Numbers judged by their mean absolute error: the lower, the better."""

    def __init__(self, data: ComparedData) -> None:
        super().__init__(data)
        self.metric = METRICS["mean_absolute_error"]


def texts_of(rows: int) -> list[str]:
    """Texts of 2 to 40 words."""
    words = TEXT.split()
    return [" ".join(words[(i * 7 + k) % len(words)] for k in range(2 + i * 13 % 39)) for i in range(rows)]


def made_up(
    texts: list[str], targets: Sequence[Any], folds: int | None = None, curve: bool = False, failed: str = "",
    scoring: Callable[[ComparedData], Any] = DocumentScoring, untrained: Container[tuple[str, int]] = (),
) -> Comparison:
    """A comparison of every family of ``CHOSEN`` on two seeds, the later in the list the better.

    Those ``untrained`` with a seed had no time for an epoch, on all rows.
    """
    task = compared_task(None, targets)
    compared = replace(task.compared, scoring=scoring)
    data = compared.data(texts, targets, task.name, None, None, folds, 0.5, 0)
    parts = smaller_parts(compared, data, 2, 0) if curve else []
    baseline = compared.baseline(data)
    families = {baseline: Baseline(), **{label: kind for label, kind in CHOSEN.items() if label != "majority"}}
    runs = [
        Run(label, family, seed, fold, task.name, None)
        for label, family in families.items() for seed in range(2 if family.learner == "gradient" else 1)
        for fold in range(len(data.folds))
    ]
    runs += [
        Run(label, family, part % 2, len(data.folds) + part, task.name, None)
        for label, family in families.items() for part in range(len(parts))
    ]
    outcomes = [
        Outcome(run, [], {}, untrained=UNTRAINED) if (run.label, run.seed) in untrained and run.fold < len(data.folds)
        else _outcome(data, run, list(families).index(run.label), parts, failed)
        for run in runs
    ]
    settings = {"seeds": 2, "random_state": 0, "budget": None, "class_weight": None}
    return _conclude(Plan(task, compared, data, families, runs, baseline, parts, settings), outcomes, False)


def _outcome(data: ComparedData, run: Run, rank: int, parts: list[Any], failed: str) -> Outcome:
    if run.label == failed:
        return Outcome(run, [], {}, "it ran out of memory.")
    head, (train, test) = data.encoded.head, [*data.folds, *parts][run.fold]
    random = np.random.default_rng([rank, run.seed, run.fold])
    certain = random.beta(2 + rank, 2, len(test)) * (len(train) / len(data.folds[0][0])) ** 0.2
    confidences = None
    if head.kind == "regression":
        truths = np.array([data.targets[i] for i in test])
        found = truths + random.normal(0, 9 - rank, len(test))
        answers = [truths.mean()] * len(test) if run.label == "mean" else found.tolist()
    elif head.kind == "multilabel":
        truths = data.encoded.encoded[test]
        confidences = np.clip(np.abs(1 - truths - random.beta(2 + rank, 2, truths.shape)), 0, 1).astype(np.float32)
        answers = [[head.labels[k] for k in np.flatnonzero(row > 0.5)] for row in confidences]
    else:
        confidences = (0.5 + certain / 2).astype(np.float32)
        right = random.random(len(test)) < 0.4 + 0.6 * certain
        drawn = [head.labels[k] for k in random.choice(len(head.labels), len(test))]
        answers = [data.targets[i] if yes else other for i, yes, other in zip(test, right, drawn, strict=True)]
        if run.label == "majority":
            answers, confidences = [head.labels[0]] * len(test), np.full(len(test), 0.5, np.float32)
    speed = 10.0 ** (rank / 2 - 4)
    cost = {
        "fit_seconds": 0.1 * 3.0**rank, "processor_seconds": 0.2 * 3.0**rank,
        "predict_seconds": speed * len(test), "size_bytes": 10 ** (3 + rank),
        "peak_memory_bytes": 300_000_000 + rank * 10**8, "tokens_read": 95, "tokens_there": 100,
        "parameters": 100 * 4**rank, "notes": ["strength 1"], "cut_short": rank == 6,
    }
    paces = np.array([[20.0, 20 * speed * (1 + rank * slice_number / 4)] for slice_number in range(4)])
    return Outcome(run, answers, cost, "", confidences, paces)
