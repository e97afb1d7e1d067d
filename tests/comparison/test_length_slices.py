"""Texts parted by their length."""

import numpy as np

from scansion.comparison.length_slices import slices_of


def test_slices_are_quarters_of_the_tested_texts_by_words():
    texts = ["w " * (i % 40 + 1) for i in range(400)]
    tested = np.arange(0, 400, 3)
    numbers = slices_of(texts, tested)
    lengths = np.array([len(texts[i].split()) for i in tested])
    for number in range(3):
        assert lengths[numbers[tested] == number].max() < lengths[numbers[tested] == number + 1].min()
    assert np.bincount(numbers[tested]).max() < 0.3 * len(tested)
    assert set(slices_of(["a", "a b", "a b c"], np.arange(3)).tolist()) == {0}
