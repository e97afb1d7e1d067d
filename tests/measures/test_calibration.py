"""How sure and how right, against the formula written out."""

import numpy as np
import pytest

from scansion.measures.calibration import calibration_of
from scansion.measures.intervals import wilson
from scansion.measures.scores import expected_calibration_error

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 300)
SETS = RANDOM.integers(0, 2, (300, 5))
FOUND = np.where(RANDOM.random((300, 5)) < 0.8, SETS, 1 - SETS)


def test_calibration_is_the_formula_written_out():
    probabilities = RANDOM.dirichlet(np.ones(4) / 2, 300)
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    found = calibration_of("multiclass", TRUTH, answers, sure)
    assert found.error == pytest.approx(expected_calibration_error(TRUTH, probabilities))
    assert sum(each.count for each in found.bins) == 300
    for each in found.bins:
        mine = (sure > each.begin) & (sure <= each.end)
        assert each.end - each.begin == pytest.approx(1 / 15)
        assert each.count == mine.sum()
        assert each.predicted == pytest.approx(sure[mine].mean())
        assert each.true == pytest.approx((answers == TRUTH)[mine].mean())
        assert (each.low, each.high) == pytest.approx(wilson((answers == TRUTH)[mine].sum(), mine.sum()))
    assert calibration_of("multiclass", TRUTH, answers, None) is None


def test_of_several_labels_the_probability_of_a_label_stands_beside_how_many_have_it():
    found = calibration_of("multilabel", SETS, FOUND, np.full((300, 5), 0.5))
    (only,) = found.bins
    assert (only.count, only.predicted, only.true) == (1_500, 0.5, pytest.approx(SETS.mean()))
    assert found.error == pytest.approx(abs(0.5 - SETS.mean()))


def test_numbers_are_calibrated_in_tenths_and_a_constant_is_one_bin():
    truth = RANDOM.normal(size=200)
    found = calibration_of("regression", truth, truth + 1, None)
    assert [each.count for each in found.bins] == [20] * 10
    assert found.error == pytest.approx(1)
    assert all(each.low < each.true < each.high for each in found.bins)
    (only,) = calibration_of("regression", truth, np.full(200, 3.0), None).bins
    assert (only.predicted, only.true) == (3, pytest.approx(truth.mean()))
    one = calibration_of("regression", truth[:1], truth[:1], None)
    assert (one.bins[0].low, one.bins[0].high) == (None, None)
