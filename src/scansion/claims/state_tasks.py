"""Tasks that ask for a state, parity and counting, and one that asks for look-ups, for language models.

Every example is tokens (B, L), numbers from 3 on, and which of them are to be foretold, (B, L) bool.
"""

import numpy as np
from numpy.typing import NDArray

from scansion.claims.sequences import recall_of_pairs, recall_words
from scansion.claims.short_training import Examples
from scansion.randomness import stream

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


def examples_of(task: str, seed: int, step: int, steps: int) -> Examples:
    """To train on, at a step of so many: parity begins with short texts."""
    random = stream(seed, task, step)
    if task == "counting":
        return counted(random.integers(1, COUNTED + 1, ROWS // 2))
    if task == "recall":
        return recall_of_pairs(random, ROWS, int(random.choice(PAIRS)), NAMES)
    return parity(random, ROWS, int(random.integers(1, 3 + int((BITS - 2) * min(1.0, step / (0.6 * steps))))))


def tests_of(task: str) -> dict[int, Examples]:
    """By size: n of a^n b^n, bits, pairs."""
    if task == "counting":
        return {n: counted(np.array([n])) for n in COUNTS}
    random = stream(0, f"{task}, test")
    return {n: parity(random, TESTED, n) for n in PARITIES} if task == "parity" else {
        n: recall_of_pairs(random, TESTED, n, NAMES) for n in PAIRS
    }
