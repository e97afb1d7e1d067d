"""Which label is answered for which, and which labels are found, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from scansion.measures.confusion import confusion_of, found_labels

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 300)
ANSWERS = {
    name: np.where(RANDOM.random(300) < 0.7, TRUTH, RANDOM.integers(0, 4, 300)) for name in ("lstm", "rnn", "bag")
}
SETS = RANDOM.integers(0, 2, (300, 5))
FOUND = np.where(RANDOM.random((300, 5)) < 0.8, SETS, 1 - SETS)


def test_the_cells_of_a_confusion_are_scikit_learns_matrix():
    found = confusion_of("abcd", TRUTH, ANSWERS)
    for family, answers in ANSWERS.items():
        matrix = np.zeros((4, 4), int)
        for truth, answer, rows in found.cells[family]:
            assert rows > 0
            matrix[truth, answer] = rows
        assert (matrix == confusion_matrix(TRUTH, answers)).all()


def test_the_f1_of_each_label_is_scikit_learns_and_null_where_there_is_none():
    found = found_labels("abcde", SETS, {"lstm": FOUND})
    assert [each.f1["lstm"] for each in found] == pytest.approx(f1_score(SETS, FOUND, average=None))
    assert [each.rows for each in found] == SETS.sum(axis=0).tolist()
    nothing = found_labels("a", np.zeros((3, 1), int), {"lstm": np.zeros((3, 1), int)})
    assert nothing[0].f1 == {"lstm": None}
