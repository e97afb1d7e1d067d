"""Blocks of rows, against the one matrix they are."""

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scansion.layers.sparse_blocks import SparseBlocks

random = np.random.default_rng(0)
MATRIX = csr_matrix(random.random((23, 6)) * (random.random((23, 6)) < 0.4), dtype=np.float32)
CUTS = (0, 4, 4, 15, 23)


@pytest.mark.parametrize("in_memory", [0, 100, 1 << 20])
def test_blocks_are_the_matrix_wherever_they_lie(in_memory):
    rows = SparseBlocks((MATRIX[a:b] for a, b in itertools.pairwise(CUTS)), in_memory)
    assert (rows.shape, len(rows)) == (MATRIX.shape, 4)
    for number, block in enumerate(rows):
        assert (block != MATRIX[rows.span(number)]).nnz == 0
    for numbers in (np.arange(23), np.array([0, 3, 4, 14, 15, 22]), np.array([9]), np.zeros(0, np.int64)):
        assert (rows.rows(numbers) != MATRIX[numbers]).nnz == 0
    np.testing.assert_array_equal(rows.documents_with(), (MATRIX.toarray() > 0).sum(axis=0))
    doubled = rows.map(lambda block: 2 * block)
    assert (doubled.rows(np.arange(23)) != 2 * MATRIX).nnz == 0


def test_a_matrix_in_memory_is_cut_evenly():
    rows = SparseBlocks.of(MATRIX, blocks=2)
    assert [block.shape[0] for block in rows] == [11, 12]
    assert len(SparseBlocks.of(MATRIX[:1], blocks=2)) == 1
