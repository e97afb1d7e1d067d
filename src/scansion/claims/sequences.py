"""Made-up tasks whose answers are known: which of two words comes first, recall of pairs, counting, parity, copying.

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
