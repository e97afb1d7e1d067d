"""Score and time by how long the documents are: what memory is worth, and what it costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.length_slices import SLICES, slices_of
from scansion.comparison.run import Outcome
from scansion.measures.intervals import Interval
from scansion.text.word_tokenizer import read_words


@dataclass(frozen=True)
class Slice:
    """Every family's score, its 95 % interval and its time a document on the test texts of ``least`` to ``most`` words.

    A family whose time nobody took is not among ``milliseconds``.
    """

    least: int
    most: int
    rows: int
    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    milliseconds: Mapping[str, float] = field(default_factory=dict)


def by_length(
    texts: Sequence[str], families: Sequence[str], interval: Callable[[str, NDArray], Interval],
    outcomes: Sequence[Outcome],
) -> tuple[Slice, ...]:
    """The slices of the tested ``texts``, shortest first; ``interval`` gets a family and which texts to look at, (N,).

    ``outcomes`` are those of the runs on all training rows.
    """
    numbers = slices_of(texts, np.arange(len(texts)))
    words = read_words(texts).lengths
    paces = {label: _milliseconds(label, outcomes) for label in families}
    slices = []
    for number in np.unique(numbers):
        mine = numbers == number
        found = {label: interval(label, mine) for label in families}
        slices.append(Slice(
            int(words[mine].min()), int(words[mine].max()), int(mine.sum()),
            {label: each.score for label, each in found.items()},
            {label: (each.low, each.high) for label, each in found.items()},
            {label: float(pace[number]) for label, pace in paces.items() if np.isfinite(pace[number])},
        ))
    return tuple(slices)


def _milliseconds(label: str, outcomes: Sequence[Outcome]) -> NDArray:
    """A document's, by slice, (SLICES,); not a number where no time was taken."""
    total = np.zeros((SLICES, 2))
    for outcome in outcomes:
        if outcome.run.label == label and outcome.paces is not None:
            total += outcome.paces
    rows, seconds = total.T
    return np.divide(1_000 * seconds, rows, out=np.full(SLICES, np.nan), where=rows > 0)
