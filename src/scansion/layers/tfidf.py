"""Counting: what the counted families share, on arrays of ids and never on single tokens."""

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from scansion.memory import ahead

TOKENS_SORTED_AT_A_TIME = 1 << 16


def count(columns: np.ndarray, offsets: np.ndarray, width: int, threads: int = 2) -> csr_matrix:
    """Occurrences of each column in each document, (N, width) float32; a negative column is left out.

    The (document, column) pairs of some documents at a time, few enough for a processor's cache, are sorted as single
    numbers; equal ones are then neighbours.
    """
    documents = len(offsets) - 1
    if not documents:
        return csr_matrix((0, width), dtype=np.float32)
    cuts = np.searchsorted(offsets, np.arange(0, offsets[-1], TOKENS_SORTED_AT_A_TIME))
    cuts = np.unique(np.concatenate([[0], cuts, [documents]]))
    parts = ahead(lambda cut: _count(columns, offsets[cut[0] : cut[1] + 1], width), pairwise(cuts), threads)
    indices, counts, lengths = (np.concatenate(each) for each in zip(*parts, strict=True))
    found = csr_matrix((counts, indices, np.concatenate([[0], np.cumsum(lengths)])), shape=(documents, width))
    found.has_canonical_format = True  # sorted, and nothing twice
    return found


def _count(columns: np.ndarray, offsets: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns and counts of the given documents in order, and how many columns each document has."""
    documents, ids = len(offsets) - 1, columns[offsets[0] : offsets[-1]]
    pairs = np.repeat(np.arange(documents) * width, np.diff(offsets)) + ids
    pairs = np.sort(pairs[ids >= 0])
    begins = np.flatnonzero(np.diff(pairs, prepend=-1))
    distinct = pairs[begins]
    rows = distinct // max(1, width)
    counts = np.diff(begins, append=len(pairs))
    return (
        (distinct - rows * width).astype(np.int32), counts.astype(np.float32), np.bincount(rows, minlength=documents)
    )


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


def shares_of(
    columns: np.ndarray, tokens: np.ndarray, shape: tuple[int, int], times: np.ndarray | None = None
) -> csr_matrix:
    """Which tokens of a document each dimension is made of, float64 (dimensions, tokens).

    Dimension ``columns[i]`` was seen (``times[i]`` times) at token ``tokens[i]``.  The shares of a dimension that was
    seen sum to one, so that what it adds to a score can be handed to tokens with nothing left over.
    """
    seen = np.ones(len(columns)) if times is None else times.astype(np.float64)
    totals = np.bincount(columns, seen, minlength=shape[0])
    return csr_matrix((seen / totals[columns], (columns, tokens)), shape)
