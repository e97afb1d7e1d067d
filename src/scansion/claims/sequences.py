"""Made-up tasks whose answers are known: which of two words comes first, and recall of pairs.

Words are numbers from ``FIRST`` on, as the families of documents count them.
"""

import numpy as np
from numpy.typing import NDArray

from scansion.text.batches import FIRST_WORD

FIRST = FIRST_WORD
FILLERS = 8
ORDER_WORDS = FIRST + 2 + FILLERS
WORK, LIVE = FIRST, FIRST + 1


def order_pairs(random: np.random.Generator, pairs: int, distances: NDArray, length: int) -> tuple[NDArray, NDArray]:
    """Sentences (2 pairs, length) in pairs that hold the same words, WORK and LIVE in either order, and which is first.

    Of each pair the two words stand as far apart as a number drawn from ``distances``, somewhere; all other words are
    fillers, the same in both.
    """
    tokens = random.integers(FIRST + 2, ORDER_WORDS, (pairs, length))
    apart = random.choice(distances, pairs)
    begin = (random.random(pairs) * (length - apart)).astype(np.int64)
    rows, both = np.arange(pairs), []
    for first, second in ((WORK, LIVE), (LIVE, WORK)):
        each = tokens.copy()
        each[rows, begin], each[rows, begin + apart] = first, second
        both.append(each)
    return np.concatenate(both), np.repeat([0, 1], pairs)


def spoken(tokens: NDArray) -> list[str]:
    """Sentences of made-up words as texts."""
    names = {WORK: "work", LIVE: "live"} | {FIRST + 2 + number: f"word{number}" for number in range(FILLERS)}
    return [" ".join(names[token] for token in row) for row in tokens.tolist()]


# What follows is for language models: tokens (B, L), and which of them are to be foretold, (B, L) bool.


def recall_of_pairs(random: np.random.Generator, rows: int, pairs: int, names: int) -> tuple[NDArray, NDArray]:
    """Multi-query associative recall (Arora et al. 2024): pairs, then each key again in another order, and its value.

    ``k1v1 k2v2 k3v3 | k2 v2 k3 v3 k1 v1``, a pair being one word of ``names`` times ``names``: what a key stands with
    has to be looked up.  The values of the second part are to be foretold.
    """
    keys = np.argsort(random.random((rows, names)), axis=1)[:, :pairs]
    values = random.integers(0, names, (rows, pairs))
    again = np.argsort(random.random((rows, pairs)), axis=1)
    asked = np.stack([np.take_along_axis(each, again, axis=1) for each in (keys, names + values)], axis=2)
    tokens = FIRST + np.concatenate([2 * names + keys * names + values, asked.reshape(rows, -1)], axis=1)
    marked = np.zeros(tokens.shape, bool)
    marked[:, pairs + 1 :: 2] = True
    return tokens, marked


def recall_words(names: int) -> int:
    """How many words :func:`recall_of_pairs` has, with those that are reserved."""
    return FIRST + 2 * names + names**2
