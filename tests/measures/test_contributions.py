"""Rows add up to the score: terms against the plain functions, row values against leaving one row out."""

import numpy as np
import pytest

from scansion.measures.contributions import row_values, score_of_means, terms_of
from scansion.measures.scores import MEASURES

RANDOM = np.random.default_rng(3)


def example(kind: str, rows: int, seeds: int = 2):
    """Truth and predictions of the kind, with ties where numbers may tie."""
    if kind == "regression":
        truth = np.round(RANDOM.normal(size=rows), 1)
        return truth, [np.round(truth + RANDOM.normal(size=rows), 1) for _ in range(seeds)]
    if kind == "multilabel":
        truth = (RANDOM.random((rows, 4)) < 0.3).astype(np.int64)
        return truth, [np.where(RANDOM.random((rows, 4)) < 0.8, truth, 1 - truth) for _ in range(seeds)]
    truth = np.array(["a", "b", "c"])[RANDOM.integers(0, 3, rows)]
    return truth, [np.where(RANDOM.random(rows) < 0.7, truth, "b") for _ in range(seeds)]


EVERY = [(kind, name) for kind in ("multiclass", "multilabel", "regression") for name in MEASURES[kind]]


@pytest.mark.parametrize(("kind", "name"), [pair for pair in EVERY if pair[1] != "spearman"])
def test_the_means_of_the_terms_give_the_plain_score_on_any_rows(kind, name):
    truth, predictions = example(kind, 40)
    terms = terms_of(name, truth, predictions)
    for rows in (np.arange(40), RANDOM.integers(0, 40, 40), np.zeros(5, dtype=int)):
        got = score_of_means(name, terms[:, rows].mean(axis=1))
        plain = [MEASURES[kind][name](truth[rows], prediction[rows]) for prediction in predictions]
        assert got == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_the_mean_of_the_row_values_is_the_score(kind, name):
    truth, predictions = example(kind, 60, seeds=3)
    values = row_values(name, truth, predictions)
    assert values.shape == (3, 60)
    assert values.mean(axis=1) == pytest.approx([MEASURES[kind][name](truth, each) for each in predictions])


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_row_values_spread_as_the_jackknife_says(kind, name):
    truth, (prediction,) = example(kind, 400, seeds=1)
    without = [MEASURES[kind][name](np.delete(truth, row, 0), np.delete(prediction, row, 0)) for row in range(400)]
    pseudo_values = 399 * (np.mean(without) - np.array(without))
    values = row_values(name, truth, [prediction])[0]
    assert values - values.mean() == pytest.approx(pseudo_values, abs=0.03 * pseudo_values.std())


def test_a_constant_side_gives_every_row_the_same_value():
    for name in ("pearson", "spearman"):
        assert np.all(row_values(name, np.arange(5.0), [np.full(5, 0.1)]) == 0)
