"""Windows of documents in the order in which they follow one another, for networks that carry a state between batches.

After ``STRETCH`` windows the state begins anew at zero, as it does with every document: then there is an order of
reading to draw, and a moment at which nothing is carried and a checkpoint can be kept.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scansion.randomness import stream
from scansion.text.batches import WINDOW_BATCHES, Batch, Sequences, cut

STRETCH = 32  # windows
STRETCHES_A_BATCH = 8  # of few texts the stretches are shorter, so that there are about so many for a row of a batch


@dataclass(frozen=True)
class WindowBatch(Batch):
    """A batch whose rows begin with the state of the row before each, ``goes_on (B,)``, or with zeros."""

    goes_on: np.ndarray
    ends: bool
    """Whether no later batch goes on after this one."""


@dataclass(frozen=True)
class Stretches:
    """Windows of ``lengths`` (W,) that are read one after the other: the first of each stretch, and how many they are.

    ``firsts`` and ``counts`` are (S,), and all stretches together are all windows.
    """

    lengths: np.ndarray
    firsts: np.ndarray
    counts: np.ndarray

    @cached_property
    def before(self) -> np.ndarray:
        """How many windows of its stretch stand before each, (W,)."""
        return np.arange(len(self.lengths)) - np.repeat(self.firsts, self.counts)

    @cached_property
    def after(self) -> np.ndarray:
        """How many windows of its stretch come after each, (W,)."""
        return np.repeat(self.counts, self.counts) - self.before - 1

    def batch(self, padded: Batch) -> WindowBatch:
        """The same batch, and which of its rows go on."""
        rows = padded.rows
        return WindowBatch(padded.tokens, padded.mask, rows, self.before[rows] > 0, not self.after[rows].any())

    def plan(self, budget: int, seed: int, epoch: int) -> list[np.ndarray]:
        """An epoch's batches of at most ``budget`` tokens; after some windows come, in the same order, the next ones.

        Stretches of about one length are read side by side; the longest is the first row, so that all keep their places
        when others end.
        """
        random, groups = stream(seed, "data order", epoch), []
        order, tokens = random.permutation(len(self.firsts)), np.add.reduceat(self.lengths, self.firsts)
        window = max(1, round(WINDOW_BATCHES * budget / float(self.lengths[self.firsts].mean())))
        for begin in range(0, len(order), window):
            some = order[begin : begin + window]
            some = some[np.argsort(tokens[some], kind="stable")]
            groups += [group[::-1] for group in cut(some, self.lengths[self.firsts], budget)]
        return [
            self.firsts[groups[number][self.counts[groups[number]] > done]] + done
            for number in random.permutation(len(groups)) for done in range(int(self.counts[groups[number][0]]))
        ]


def stretches_of(windows: Sequences, budget: int) -> Stretches:
    """The stretches of windows, each of which follows one that ends where it begins, for batches of so many tokens."""
    lengths = windows.lengths
    follows = np.concatenate([[False], windows.starts[1:] == windows.starts[:-1] + lengths[:-1] - 1])
    documents = np.flatnonzero(~follows)
    numbers = np.arange(len(windows)) - np.repeat(documents, np.diff(documents, append=len(windows)))
    firsts = np.flatnonzero(numbers % int(np.clip(lengths.sum() // (STRETCHES_A_BATCH * budget), 1, STRETCH)) == 0)
    return Stretches(lengths, firsts, np.diff(firsts, append=len(windows)))
