"""Which labels are taken for which others, and how well each label is found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Confusion:
    """Counts of (number of the true label, number of the answer, rows) for every family; what never occurs is absent.

    Numbers count ``labels`` from 0.
    """

    labels: tuple[Any, ...] = ()
    cells: Mapping[str, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundLabel:
    """A label of documents that may have several: how many test rows have it, and every family's F1 on it."""

    label: Any
    rows: int
    f1: Mapping[str, float | None]
    """Null where neither the truth nor the family has it."""


def confusion_of(labels: Sequence[Any], truth: NDArray, answers: Mapping[str, NDArray]) -> Confusion:
    """Of label numbers, (N,) each."""
    cells = {}
    for family, mine in answers.items():
        both, counts = np.unique(np.stack([truth, mine]), axis=1, return_counts=True)
        cells[family] = tuple(zip(*both.tolist(), counts.tolist(), strict=True))
    return Confusion(tuple(labels), cells)


def found_labels(labels: Sequence[Any], truth: NDArray, answers: Mapping[str, NDArray]) -> tuple[FoundLabel, ...]:
    """Of matrices of 0 and 1, (N, labels) each: F1 = 2 both / (true + answered)."""
    there = truth.sum(axis=0)
    scores = {}
    for family, mine in answers.items():
        both, either = (truth * mine).sum(axis=0), there + mine.sum(axis=0)
        scores[family] = [2 * b / e if e else None for b, e in zip(both.tolist(), either.tolist(), strict=True)]
    return tuple(
        FoundLabel(label, int(there[i]), {family: f1[i] for family, f1 in scores.items()})
        for i, label in enumerate(labels)
    )
