"""How the strength of a linear head is chosen."""

import time

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.heads.regression import RegressionHead
from scansion.heads.temperature import calibrated_losses
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.folds import fold_rows, runs_of_rows
from scansion.learning.solver import (
    FIRST_STRENGTHS,
    FOLDS,
    STRENGTHS,
    choose_strength,
)
from scansion.learning.strengths import Choice, smallest_good

HEAD = MulticlassHead(("no", "yes"))


def made(rows: int = 240, columns: int = 30, noise: float = 1.0) -> tuple[SparseBlocks, np.ndarray]:
    """Sparse vectors, and labels that a noisy linear rule gives them."""
    random = np.random.default_rng(0)
    X = random.random((rows, columns)) * (random.random((rows, columns)) < 0.3)
    scores = X @ random.normal(size=columns) * 3 + noise * random.normal(size=rows)
    return SparseBlocks.of(csr_matrix(X, dtype=np.float32)), (scores > np.median(scores)).astype(np.int64)


def same(one: Choice, other: Choice) -> bool:
    return (
        (one.strength, one.held_out, one.reason) == (other.strength, other.held_out, other.reason)
        and np.array_equal(one.rows, other.rows)
        and np.array_equal(one.logits, other.logits)
    )


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_folds_hold_every_row_once_and_keep_labels_in_proportion(folds):
    targets = np.repeat([0, 1, 2], [70, 20, 10])
    head = MulticlassHead(("a", "b", "c"))
    parts = fold_rows(head, targets, folds, seed=4)
    assert sorted(np.concatenate(parts).tolist()) == list(range(100))
    for part in parts:
        counts = np.bincount(targets[part], minlength=3)
        assert (np.abs(counts - np.array([70, 20, 10]) / folds) < 1).all()


def test_folds_of_label_sets_keep_how_many_labels_a_row_has():
    targets = (np.arange(90)[:, None] % 3 > np.array([0, 1])).astype(np.float32)
    for part in fold_rows(MultilabelHead(("a", "b")), targets, 3, seed=0):
        assert np.bincount(targets[part].sum(axis=1).astype(int)).tolist() == [10, 10, 10]


def test_neighbours_of_one_label_stay_together_and_labels_in_proportion():
    targets = np.tile([0, 1, 0, 0], 30)
    parts = runs_of_rows(MulticlassHead(("a", "b")), targets, 3, seed=0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(120))
    for part in parts:
        assert part.tolist() == list(range(part[0], part[0] + 40))
        assert np.bincount(targets[part]).tolist() == [30, 10]


def test_rare_labels_take_turns_in_which_run_has_a_row_more():
    parts = runs_of_rows(MulticlassHead(("a", "b", "c", "d")), np.array([0, 0, 0, 0, 1, 2, 3]), 3, seed=0)
    assert sorted(map(len, parts)) == [2, 2, 3]


def test_numbers_and_label_sets_are_spread_since_their_table_may_be_sorted_by_them():
    numbers, label_sets = np.linspace(0, 1, 90, dtype=np.float32), np.repeat(np.eye(3, dtype=np.float32), 30, axis=0)
    for head, targets in ((RegressionHead(0.0, 1.0), numbers), (MultilabelHead(("a", "b", "c")), label_sets)):
        found, spread = (make(head, targets, 3, 0) for make in (runs_of_rows, fold_rows))
        assert [part.tolist() for part in found] == [part.tolist() for part in spread]


def test_folds_of_numbers_hold_every_row_once():
    parts = fold_rows(RegressionHead(0.0, 1.0), np.zeros(10, np.float32), 3, seed=0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(10))
    assert {len(part) for part in parts} == {3, 4}


def test_the_choice_is_a_function_of_the_seed_and_of_no_threads():
    vectors, targets = made()
    first = choose_strength(vectors, targets, HEAD, 0, threads=1)
    assert same(first, choose_strength(vectors, targets, HEAD, 0, threads=1))
    assert same(first, choose_strength(vectors, targets, HEAD, 0, threads=3))
    assert not np.array_equal(first.rows, choose_strength(vectors, targets, HEAD, 1).rows)


def test_the_choice_is_the_smallest_that_one_standard_error_cannot_tell_from_the_best():
    rows = np.random.default_rng(0).normal(1.0, 1.0, 400)
    apart = np.tile([0.0, 0.2], 200)  # mean 0.1, standard error 0.005
    assert smallest_good({1.0: rows + apart, 5.0: rows + 0.04 * (apart - 0.1), 10.0: rows}) == 5.0
    assert smallest_good({1.0: rows + apart, 5.0: rows + 0.01, 10.0: rows}) == 10.0


def test_an_edge_that_is_the_choice_is_gone_beyond():
    vectors, targets = made()
    choice = choose_strength(vectors, targets, HEAD, 0)
    tried = sorted(choice.held_out)
    assert set(FIRST_STRENGTHS) <= set(tried) <= set(STRENGTHS)
    assert choice.strength in tried
    assert choice.strength not in (tried[0], tried[-1]) or choice.strength in (STRENGTHS[0], STRENGTHS[-1])


def test_held_out_losses_are_those_of_scikit_learn_on_the_same_folds():
    vectors, targets = made()
    choice = choose_strength(vectors, targets, HEAD, 0)
    exact = vectors.rows(np.arange(len(targets))).astype(np.float64)
    for strength, loss in choice.held_out.items():
        scores = np.zeros((len(targets), 1))
        for part in runs_of_rows(HEAD, targets, FOLDS, 0):
            kept = np.setdiff1d(np.arange(len(targets)), part)
            reference = LogisticRegression(C=strength, max_iter=1000).fit(exact[kept], targets[kept])
            scores[part, 0] = reference.decision_function(exact[part])
        expected = calibrated_losses(HEAD, scores, targets, np.ones(len(targets))).mean()
        assert loss == pytest.approx(expected, abs=0.005)  # strengths are ranked by a coarser solution


def test_every_row_is_held_out_once_and_its_logits_are_kept():
    vectors, targets = made()
    choice = choose_strength(vectors, targets, HEAD, 0)
    assert sorted(choice.rows.tolist()) == list(range(len(targets)))
    assert choice.logits.shape == (len(targets), 1)
    losses = calibrated_losses(HEAD, choice.logits, targets[choice.rows], np.ones(len(targets)))
    assert losses.mean() == pytest.approx(choice.held_out[choice.strength])


def test_a_deadline_that_has_passed_leaves_the_first_strengths():
    vectors, targets = made()
    choice = choose_strength(vectors, targets, HEAD, 0, deadline=time.monotonic() - 1)
    assert set(choice.held_out) == set(FIRST_STRENGTHS)
    assert len(choice.logits) == len(choice.rows) == len(targets)


def test_prior_widths_are_learned_without_the_held_out_targets():
    vectors, targets = made()
    seen = []

    def widths_of(part, answers):
        seen.append((part.shape[0], len(answers)))
        return np.ones((part.shape[1], 1))

    with_ones = choose_strength(vectors, targets, HEAD, 0, widths_of=widths_of)
    assert seen == [(160, 160)] * FOLDS
    assert same(with_ones, choose_strength(vectors, targets, HEAD, 0))


def test_a_row_of_weight_nought_has_no_say_in_the_loss():
    vectors, targets = made()
    weights = np.where(np.arange(len(targets)) % 4, 1.0, 0.0)
    flipped = np.where(weights > 0, targets, 1 - targets)
    # with numbers for answers rows are not sorted into strata, so that the folds of both are the same
    head = RegressionHead(0.0, 1.0)
    one, other = (
        choose_strength(vectors, answers.astype(np.float32), head, 0, row_weights=weights)
        for answers in (targets, flipped)
    )
    assert one.held_out == pytest.approx(other.held_out)


@pytest.mark.parametrize(("rows", "columns"), [(240, 0), (1, 5), (2, 5)])
def test_where_nothing_can_be_held_out_or_weighed_nothing_is_chosen(rows, columns):
    vectors, targets = SparseBlocks.of(csr_matrix((rows, columns), dtype=np.float32)), np.arange(rows) % 2
    choice = choose_strength(vectors, targets, HEAD, 0)
    assert (choice.reason, choice.held_out, len(choice.rows)) == ("nothing to choose from", {}, 0)
