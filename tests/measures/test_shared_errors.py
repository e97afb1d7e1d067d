"""Which errors families share, against sets and correlations."""

import numpy as np
import pytest

from scansion.measures.shared_errors import shared_errors_of

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 300)
ANSWERS = {
    name: np.where(RANDOM.random(300) < 0.7, TRUTH, RANDOM.integers(0, 4, 300)) for name in ("lstm", "rnn", "bag")
}


def test_shared_errors_are_the_overlap_of_the_sets_of_wrong_rows():
    found = shared_errors_of("multiclass", TRUTH, ANSWERS)
    wrong = [set(np.flatnonzero(answers != TRUTH).tolist()) for answers in ANSWERS.values()]
    for i, one in enumerate(wrong):
        assert found.wrong[i] == len(one)
        for j, other in enumerate(wrong):
            assert found.both[i][j] == len(one & other)
            assert found.values[i][j] == pytest.approx(len(one & other) / len(one | other))
    assert found.all_wrong == len(set.intersection(*wrong))
    assert found.all_right == 300 - len(set.union(*wrong))
    assert shared_errors_of("multiclass", TRUTH, {"a": TRUTH, "b": TRUTH}).values == ((None, None), (None, None))


def test_errors_of_numbers_are_correlated_and_a_constant_error_has_no_correlation():
    truth, noise = RANDOM.normal(size=(2, 100))
    answers = {"a": truth + noise, "b": truth - noise + RANDOM.normal(size=100), "c": truth + 2}
    found = shared_errors_of("regression", truth, answers)
    assert found.values[0][1] == pytest.approx(np.corrcoef(answers["a"] - truth, answers["b"] - truth)[0, 1])
    assert found.values[0][2] is None
    assert found.wrong == ()
