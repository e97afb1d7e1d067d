"""Sets of labels: a machine a label, solved a few at a time, and logits of their scores."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, random_array

import scansion
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.platt import platt_lines
from scansion.learning.squared_hinge import ARRAYS_OF_COLUMNS, STATE_BYTES, side_by_side, solve_labels

ROWS, COLUMNS, LABELS = 200, 30, 4
RANDOM = np.random.default_rng(0)
X = csr_matrix(random_array((ROWS, COLUMNS), density=0.2, random_state=RANDOM), dtype=np.float32)
TARGETS = (X @ RANDOM.normal(size=(COLUMNS, LABELS)) > [0.0, 0.5, 0.8, 1.0]).astype(np.float32)
WEIGHTS = RANDOM.random(ROWS) + 0.5
WIDTHS = RANDOM.random((COLUMNS, LABELS)) + 0.5


def solved(**changes):
    given = {"row_weights": WEIGHTS, "widths": WIDTHS, "precision": 1e-5, **changes}
    return solve_labels(SparseBlocks.of(X, blocks=3), TARGETS, 2.0, **given)


def objective(label: int, flat: np.ndarray) -> float:
    """The one of the module's formula, in its own terms."""
    held = (TARGETS[:, label] * WEIGHTS).sum() / WEIGHTS.sum()
    costs = 2.0 * WEIGHTS * np.where(TARGETS[:, label] > 0, 2 * np.sqrt(0.5 / held), 2)
    margins = (2 * TARGETS[:, label] - 1) * (X @ (WIDTHS[:, label] * flat[:-1]) + flat[-1])
    return 0.5 * flat[:-1] @ flat[:-1] + (costs / 2 * np.maximum(0, 1 - margins) ** 2).sum()


def test_every_machine_is_at_the_least_of_its_objective():
    found = solved()
    for label in range(LABELS):
        mine = np.append(found.weights[:, label] / WIDTHS[:, label], found.bias[label])
        best = minimize(lambda flat, k=label: objective(k, flat), np.zeros(COLUMNS + 1), method="L-BFGS-B",
                        options={"maxfun": 100_000, "maxiter": 1_000})
        assert objective(label, mine) == pytest.approx(best.fun, rel=1e-3)


def test_a_start_changes_nothing_of_the_answer():
    far = solved(precision=0.5)
    np.testing.assert_allclose(solved(start=far).weights, solved().weights, atol=2e-3)


def test_a_label_that_all_rows_have_or_none_gets_no_weights():
    targets = np.stack([np.ones(ROWS), np.zeros(ROWS), TARGETS[:, 0]], axis=1).astype(np.float32)
    found = solve_labels(SparseBlocks.of(X), targets, 1.0, row_weights=WEIGHTS)
    assert not found.weights[:, :2].any()
    assert found.bias[0] > 0 > found.bias[1]
    assert found.weights[:, 2].any()


@pytest.mark.parametrize(("outputs", "shape"), [
    (332, (7_000, 30_000)), (90, (8_000, 2_000_000)), (3, (10, 5)), (1, (1, 0)),
])
def test_what_is_being_solved_does_not_grow_with_the_labels(outputs, shape):
    blocks = list(side_by_side(outputs, shape))
    assert [k for block in blocks for k in range(outputs)[block]] == list(range(outputs))
    for block in blocks:
        labels = block.stop - block.start
        assert labels == 1 or 4 * ARRAYS_OF_COLUMNS * shape[1] * labels <= STATE_BYTES


def test_the_lines_of_labels_with_many_rows_are_maximum_likelihood():
    scores = np.random.default_rng(1).normal(size=(4_000, 2))
    targets = (np.random.default_rng(2).random((4_000, 2)) < 1 / (1 + np.exp(-(3 * scores - 1)))).astype(int)
    slopes, intercepts = platt_lines(scores, targets, np.ones(4_000))
    np.testing.assert_allclose(slopes, 3, atol=0.35)
    np.testing.assert_allclose(intercepts, -1, atol=0.2)


def test_the_line_of_a_label_with_one_row_is_near_the_one_of_all_labels():
    random = np.random.default_rng(3)
    scores = random.normal(size=(1_000, 5))
    targets = (random.random((1_000, 5)) < 1 / (1 + np.exp(-(2 * scores)))).astype(int)
    targets[:, 4] = 0
    targets[0, 4] = 1
    slopes, intercepts = platt_lines(scores, targets, np.ones(1_000))
    assert slopes[4] > 0
    assert intercepts[4] < intercepts[:4].min()


def test_scores_that_are_all_alike_make_logits_of_the_shares():
    targets = (np.arange(400) % 4 == 0).astype(int)[:, None]
    slopes, intercepts = platt_lines(np.zeros((400, 1)), targets, np.ones(400))
    assert np.isfinite(slopes).all()
    assert 1 / (1 + np.exp(-intercepts[0])) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("rows", [2, 3, 5])
@pytest.mark.parametrize("family", ["baseline", "bag-of-words", "n-grams"])
def test_very_few_rows_are_learned_from_too(family, rows):
    texts, sets = ["one red thing", "a blue thing", "red and blue", "nothing", "blue sky"], [
        ("red",), ("blue",), ("blue", "red"), (), ("blue",)]
    model = scansion.DocumentClassifier(family, random_state=0).fit(texts[:rows], sets[:rows])
    assert np.isfinite(model.predict_proba(texts)).all()
    assert model.predict(texts).shape == (5, 2)


def test_a_row_of_weight_nought_counts_nothing_and_one_of_weight_two_more():
    texts = [f"{'red' if i % 2 else 'blue'} {i % 3}" for i in range(30)]
    sets = [("red",) if i % 2 else () for i in range(30)]
    base = scansion.DocumentClassifier("bag-of-words", random_state=0)
    likely = [
        base.fit(texts, sets, sample_weight=np.where(np.arange(30) % 2, weight, 1.0)).predict_proba(["red 1"])[0, 0]
        for weight in (0.1, 10.0)
    ]
    assert likely[0] < likely[1]
