"""Rectangles of tokens: what is in them, how full they are, and that nobody has to be asked for their order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.text.batches import PADDING, Sequences, collate, epoch_plan, reading_plan

LENGTHS = st.lists(st.integers(1, 90), min_size=1, max_size=200).map(np.array)
BUDGETS = st.integers(1, 400)


def realistic_lengths(typical: int, rows: int = 8_000) -> np.ndarray:
    """Document lengths are about log-normal: most are short, a few are very long."""
    drawn = np.random.default_rng(0).lognormal(np.log(typical), 0.7, rows)
    return np.maximum(1, drawn).astype(np.int64)


def test_collate_by_hand():
    sequences = Sequences(
        np.array([11, 12, 13, 14, 15, 16], np.int32), starts=np.array([0, 3, 4]), lengths=np.array([3, 1, 2])
    )
    batch = collate(sequences, np.array([2, 0, 1]))
    assert batch.tokens.tolist() == [[15, 16, PADDING], [11, 12, 13], [14, PADDING, PADDING]]
    assert batch.mask.tolist() == [[True, True, False], [True, True, True], [True, False, False]]
    assert (batch.tokens.dtype, batch.rows.tolist(), len(batch)) == (np.int64, [2, 0, 1], 3)


def test_rows_may_overlap_in_the_flat_array():
    batch = collate(Sequences(np.arange(5), np.array([0, 2]), np.array([4, 3])), np.array([0, 1]))
    assert batch.tokens.tolist() == [[0, 1, 2, 3], [2, 3, 4, PADDING]]


@settings(max_examples=80, deadline=None)
@given(LENGTHS, BUDGETS, st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_an_epoch_has_every_row_once_and_keeps_its_budget(lengths, budget, seed, epoch):
    plan = epoch_plan(lengths, budget, seed, epoch)
    assert sorted(np.concatenate(plan).tolist()) == list(range(len(lengths)))
    for rows in plan:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget


@settings(max_examples=80, deadline=None)
@given(LENGTHS, BUDGETS)
def test_reading_has_every_row_once_longest_first_and_keeps_its_budget(lengths, budget):
    plan = reading_plan(lengths, budget)
    order = np.concatenate(plan)
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert (np.diff(lengths[order]) <= 0).all()
    for rows in plan:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget


def test_no_rows_make_no_batches():
    assert reading_plan(np.zeros(0, np.int64), 100) == []


def test_a_plan_is_a_pure_function_of_seed_and_epoch():
    lengths = realistic_lengths(20, 500)
    planned = {}
    for key in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]:  # the first again, after others were drawn
        plan = np.concatenate(epoch_plan(lengths, 400, *key)).tolist()
        assert planned.setdefault(key, plan) == plan
    assert len({tuple(plan) for plan in planned.values()}) == 4


def test_a_plan_does_not_touch_numpys_own_random_state():
    np.random.seed(7)
    expected = np.random.random()
    np.random.seed(7)
    epoch_plan(realistic_lengths(20, 100), 400, 0, 0)
    assert np.random.random() == expected


def test_every_epoch_sees_new_batches():
    lengths = realistic_lengths(20, 2_000)
    first, second = ({frozenset(rows.tolist()) for rows in epoch_plan(lengths, 500, 0, epoch)} for epoch in (0, 1))
    assert not first & second


def test_batches_do_not_come_sorted_by_length():
    lengths = realistic_lengths(20)
    longest = np.array([lengths[rows].max() for rows in epoch_plan(lengths, 4_000, 0, 0)])
    assert abs(np.corrcoef(np.arange(len(longest)), longest)[0, 1]) < 0.3


@pytest.mark.parametrize(("typical", "budget"), [(20, 500), (20, 4_000), (200, 4_000)])
def test_padding_stays_below_eight_per_cent_of_a_batch(typical, budget):
    lengths = realistic_lengths(typical)
    for epoch in range(2):
        cells = sum(len(rows) * int(lengths[rows].max()) for rows in epoch_plan(lengths, budget, 0, epoch))
        assert 1 - lengths.sum() / cells < 0.08
