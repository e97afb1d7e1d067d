"""The test rows on which families disagree, to be read by somebody who knows what the texts mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 12
MOST_CHARACTERS = 10_000


@dataclass(frozen=True)
class GivenAnswer:
    """A family's answer to one row; what its task does not have is null."""

    family: str
    answer: Any
    right: bool | None = None
    probability: float | None = None
    """Of the answer."""
    chrf: float | None = None
    """The sentence's, from 0 to 1."""


@dataclass(frozen=True)
class Disagreement:
    """A row: where it stands among the texts, from 0, those of a separate test set behind the others.

    ``text`` is cut after 10,000 characters, and ``characters`` is what it has in all.
    """

    row: int
    text: str
    characters: int
    truth: Any
    answers: tuple[GivenAnswer, ...]


def most_split(kind: str, answers: Mapping[str, NDArray], confidences: Mapping[str, NDArray]) -> list[int]:
    """At most 12 rows that are not answered alike by all, most split first.

    Labels: the smaller the largest group of families that say the same, the earlier; among equals, those the families
    are surest of.  Numbers: the larger the standard deviation of the answers, the earlier.
    """
    if len(answers) < 2:
        return []
    if kind == "regression":
        return widest(np.stack(list(answers.values())))
    given = _numbered(list(answers.values()))
    largest = np.max([(given == mine).sum(axis=0) for mine in given], axis=0)
    sure = sum((_sureness(each) for each in confidences.values()), np.zeros(len(largest)))
    order = np.lexsort((-sure, largest))[:MOST_ROWS]
    return [int(row) for row in order if largest[row] < len(given)]


def widest(values: NDArray) -> list[int]:
    """At most 12 rows of (families, N), the largest standard deviation first."""
    spread = values.std(axis=0)
    order = np.argsort(-spread, kind="stable")[:MOST_ROWS]
    return [int(row) for row in order if spread[row] > 0]


def told(text: str) -> str:
    """As much of a text as a report holds."""
    return text[:MOST_CHARACTERS]


def disagreements(
    rows: Sequence[int], texts: Sequence[str], positions: Sequence[int], truths: Sequence[Any],
    given: Mapping[str, Sequence[GivenAnswer]],
) -> tuple[Disagreement, ...]:
    """Those ``rows`` of the tested ones; ``given`` holds every family's answers to these rows, in this order."""
    return tuple(
        Disagreement(
            int(positions[row]), told(texts[row]), len(texts[row]), truths[row],
            tuple(answers[place] for answers in given.values()),
        )
        for place, row in enumerate(rows)
    )


def _numbered(answers: list[NDArray]) -> NDArray:
    """(families, N): equal numbers for equal answers."""
    stacked = np.stack(answers)
    if stacked.ndim == 2:
        return stacked
    packed = np.ascontiguousarray(np.packbits(stacked.astype(bool), axis=2))
    whole = packed.view(np.dtype((np.void, packed.shape[2]))).reshape(len(answers), -1)
    return np.unique(whole, return_inverse=True)[1].reshape(whole.shape)


def _sureness(confidences: NDArray) -> NDArray:
    """(N,): the probability of the answer; of several labels, the mean over them."""
    return confidences if confidences.ndim == 1 else np.maximum(confidences, 1 - confidences).mean(axis=1)
