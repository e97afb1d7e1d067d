"""Texts parted by their length."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scansion.text.word_tokenizer import read_words

SLICES = 4
FEWEST_ROWS = 2


def slices_of(texts: Sequence[str], tested: NDArray) -> NDArray:
    """Which slice each text is in, (N,), 0 for those that are not tested.

    Slices are the quarters of the tested by their words, texts of one length together; all is one slice where a quarter
    would be a single text.
    """
    words = np.zeros(len(texts), np.int64)
    words[tested] = read_words(texts[i] for i in tested).lengths
    edges = np.unique(np.quantile(words[tested], np.linspace(0, 1, SLICES + 1)[1:-1], method="lower"))
    numbers = np.searchsorted(edges, words, side="left")
    _, counts = np.unique(numbers[tested], return_counts=True)
    return numbers if counts.min() >= FEWEST_ROWS else np.zeros_like(numbers)
