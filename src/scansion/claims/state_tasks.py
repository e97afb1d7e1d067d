"""Tasks that ask for a state, parity and two of counting, and one that asks for look-ups, for language models.

Every example is tokens (B, L), numbers from 3 on, and which of them are to be foretold, (B, L) bool.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.claims.sequences import recall_of_pairs, recall_words
from scansion.claims.short_training import Examples, foretold, language_training, last_loss
from scansion.learning.language_network import LanguageNetwork, build_language
from scansion.randomness import stream

NAMES, PAIRS = 8, (2, 4, 6, 8)
COUNTED, COUNTS = 20, (10, 20, 25, 30, 40)  # n of training at most, and of the test
BEGUN, BEGINNINGS = 24, (12, 24, 36, 48, 72)  # brackets of training at most, and of the test
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


def brackets(random: np.random.Generator, rows: int, length: int) -> tuple[NDArray, NDArray]:
    """The beginning of a word of Dyck-1, ``length`` brackets, 3 and 4, and a 5; then all that closes it, and END, 5.

    What comes after the first 5 is to be foretold. Every bracket is drawn, but none closes what is not open.
    """
    depth, begun = np.zeros(rows, np.int64), []
    for _ in range(length):
        opens = (random.random(rows) < 0.5) | (depth == 0)
        depth += np.where(opens, 1, -1)
        begun.append(np.where(opens, 3, 4))
    after = np.arange(int(depth.max()) + 1)
    tokens = np.concatenate([np.stack(begun, axis=1), np.full((rows, 1), 5), np.where(after < depth[:, None], 4, 5)], 1)
    marked = np.concatenate([np.zeros((rows, length + 1), bool), after <= depth[:, None]], axis=1)
    return tokens, marked


@dataclass(frozen=True)
class StateTask:
    """What to train on, ``examples(random, how far training is)``, and the tests by their size."""

    examples: Callable[[np.random.Generator, float], Examples]
    tests: Callable[[np.random.Generator], dict[int, Examples]]
    steps: int
    whole: bool = False
    """Whether a text counts as right only if all that is foretold in it is."""

    def right(self, model: LanguageNetwork, tested: Examples) -> NDArray:
        """Which answers are right, or which texts, (answers or texts,) bool."""
        found = foretold(model, tested)
        begins = np.flatnonzero(np.diff(np.nonzero(tested[1])[0], prepend=-1))
        return np.logical_and.reduceat(found, begins) if self.whole else found


TASKS = {
    "parity": StateTask(
        lambda random, progress: parity(random, ROWS, int(random.integers(1, 3 + int((BITS - 2) * progress)))),
        lambda random: {size: parity(random, TESTED, size) for size in PARITIES}, 600,
    ),
    "counting": StateTask(
        lambda random, progress: counted(random.integers(1, COUNTED + 1, ROWS // 2)),
        lambda random: {size: counted(np.array([size])) for size in COUNTS}, 300, whole=True,
    ),
    "brackets": StateTask(
        lambda random, progress: brackets(random, ROWS, int(random.integers(1, BEGUN + 1))),
        lambda random: {size: brackets(random, TESTED, size) for size in BEGINNINGS}, 400, whole=True,
    ),
    "recall": StateTask(
        lambda random, progress: recall_of_pairs(random, ROWS, int(random.choice(PAIRS)), NAMES),
        lambda random: {size: recall_of_pairs(random, TESTED, size, NAMES) for size in PAIRS}, 400,
    ),
}
"""Parity begins with short texts and reaches the longest in the first part of training."""


def learned(family: Any, learning_rate: float, name: str, seed: int, share: float) -> dict[int, NDArray]:
    """Which tests a language model of this family has right, by size, after a share of the task's steps."""
    task = TASKS[name]
    model, steps = build_language(family, WORDS, 0.0, seed), max(1, round(share * task.steps))

    def examples(step: int) -> Examples:
        return task.examples(stream(seed, name, step), min(1.0, step / (0.6 * steps)))

    last_loss(language_training(model, examples, steps, learning_rate, seed))
    return {size: task.right(model, tested) for size, tested in task.tests(stream(0, f"{name}, test")).items()}
