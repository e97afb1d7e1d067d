"""Which rows are shown: those on which families differ most."""

import numpy as np

from scansion.measures.disagreements import most_split, widest


def test_rows_are_chosen_most_evenly_split_first_and_among_equals_the_surest():
    answers = {
        "a": np.array([0, 0, 0, 0, 1]), "b": np.array([0, 1, 0, 1, 1]), "c": np.array([0, 1, 1, 2, 1]),
        "d": np.array([0, 0, 0, 3, 0]),
    }
    sure = {"a": np.array([0.9, 0.5, 0.6, 0.1, 0.8])}
    assert most_split("multiclass", answers, sure) == [3, 1, 4, 2]
    assert most_split("multiclass", {"a": answers["a"]}, sure) == []
    sets = {name: np.eye(4, dtype=int)[mine] for name, mine in answers.items()}
    assert most_split("multilabel", sets, {}) == [3, 1, 2, 4]
    assert widest(np.array([[0.0, 1, 5], [0, 2, 1]])) == [2, 1]
