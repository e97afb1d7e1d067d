"""Tasks that ask for a state, parity and counting, and one that asks for look-ups, for language models.

Every example is tokens (B, L), numbers from 3 on, and which of them are to be foretold, (B, L) bool.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scansion.claims.sequences import recall_of_pairs, recall_words
from scansion.claims.short_training import Examples

NAMES, PAIRS = 8, (2, 4, 6, 8)
COUNTED, COUNTS = 20, (10, 20, 25, 30, 40)  # n of training at most, and of the test
BITS, PARITIES = 12, (8, 12, 16, 24, 40)
WORDS = recall_words(NAMES)
ROWS, TESTED = 32, 100


def parity(random: np.random.Generator, rows: int, length: int) -> tuple[NDArray, NDArray]:
    """Zeros and ones, 3 and 4, and at the end whether the ones are odd, 5 or 6."""
    bits = random.integers(0, 2, (rows, length))
    tokens = np.concatenate([3 + bits, 5 + bits.sum(axis=1, keepdims=True) % 2], axis=1)
    marked = np.zeros(tokens.shape, bool)
    marked[:, -1] = True
    return tokens, marked


def counted(lengths: NDArray) -> tuple[NDArray, NDArray]:
    """``a^n b^n END`` for every n, as 3, 4 and 5, padded with END; from the first b on all is to be foretold."""
    places = np.arange(2 * int(lengths.max()) + 1)
    tokens = np.where(places < lengths[:, None], 3, np.where(places < 2 * lengths[:, None], 4, 5))
    return tokens, (places > lengths[:, None]) & (places <= 2 * lengths[:, None])


@dataclass(frozen=True)
class StateTask:
    """What to train on, ``examples(random, how far training is)``, and the tests by their size."""

    examples: Callable[[np.random.Generator, float], Examples]
    tests: Callable[[np.random.Generator], dict[int, Examples]]
    steps: int
    whole: bool = False
    """Whether a test counts as right only if all that is foretold is."""


TASKS = {
    "parity": StateTask(
        lambda random, progress: parity(random, ROWS, int(random.integers(1, 3 + int((BITS - 2) * progress)))),
        lambda random: {size: parity(random, TESTED, size) for size in PARITIES}, 600,
    ),
    "counting": StateTask(
        lambda random, progress: counted(random.integers(1, COUNTED + 1, ROWS // 2)),
        lambda random: {size: counted(np.array([size])) for size in COUNTS}, 300, whole=True,
    ),
    "recall": StateTask(
        lambda random, progress: recall_of_pairs(random, ROWS, int(random.choice(PAIRS)), NAMES),
        lambda random: {size: recall_of_pairs(random, TESTED, size, NAMES) for size in PAIRS}, 400,
    ),
}
"""Parity begins with short texts and reaches the longest in the first part of training."""
