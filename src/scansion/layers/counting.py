"""Counting: what the counted families share, on arrays of ids and never on single tokens."""

import numpy as np
from scipy.sparse import csr_matrix


def count(columns: np.ndarray, offsets: np.ndarray, width: int) -> csr_matrix:
    """Occurrences of each column in each document, (N, width) float32; a negative column is left out."""
    kept = columns >= 0
    if not kept.all():
        offsets = np.concatenate([[0], np.cumsum(kept)])[offsets]
        columns = columns[kept]
    ones = np.ones(len(columns), np.float32)
    shape = (len(offsets) - 1, width)
    counts = csr_matrix((ones, columns.astype(np.int32), offsets.astype(np.int64)), shape=shape)
    # turning it twice sorts the columns of every row in linear time
    counts = counts.tocsc().tocsr()
    counts.sum_duplicates()
    return counts


def columns_of(types: list[str], words: list[str]) -> np.ndarray:
    """The column of each word type, -1 where it has none; int32 (types,)."""
    column = {word: i for i, word in enumerate(words)}
    return np.fromiter((column.get(word, -1) for word in types), np.int32, len(types))


def inverse_document_frequency(documents_with: np.ndarray, documents: int) -> np.ndarray:
    """``1 + log((1 + N) / (1 + N_w))``, float32."""
    return (1 + np.log((1 + documents) / (1 + documents_with))).astype(np.float32)


def sublinear(counts: csr_matrix) -> csr_matrix:
    """``1 + log n`` of every count, in place."""
    np.log(counts.data, out=counts.data)
    counts.data += 1
    return counts


def rows_to_length_one(counts: csr_matrix, weights: np.ndarray) -> csr_matrix:
    """Weigh the columns, then scale every row that is not empty to length one; in place."""
    counts.data *= weights[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, counts.data.astype(np.float64) ** 2, minlength=counts.shape[0]))
    counts.data /= lengths[rows].astype(np.float32)
    return counts
