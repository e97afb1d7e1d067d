"""Naive Bayes log-count ratios as prior widths of a linear head (Wang and Manning 2012, section 2).

    r = log( (a + documents of the label with it) / |..| ) - log( (a + other documents with it) / |..| )
    width = (1 - b) |r| + b mean |r|
"""

import numpy as np
from scipy.sparse import csr_matrix

from scansion.layers.sparse_blocks import SparseBlocks

SMOOTHING = 1.0  # a
EVENNESS = 0.5  # b


def prior_widths(vectors: SparseBlocks, targets: np.ndarray, outputs: int) -> np.ndarray:
    """The widths of the module's formula for every feature and output, (D, outputs).

    ``targets`` are label numbers (N,), of which one output means the second, or (N, outputs) of 0 and 1.
    """
    if targets.ndim == 1:
        targets = targets[:, None] == (np.arange(outputs) if outputs > 1 else np.array([1]))
    inside = targets.astype(np.float32)  # (N, outputs)
    here = np.zeros((vectors.width, inside.shape[1]))
    for number, block in enumerate(vectors):
        present = csr_matrix((np.ones_like(block.data), block.indices, block.indptr), block.shape)
        here += present.T @ inside[vectors.span(number)]
    there = vectors.documents_with()[:, None] - here
    here, there = SMOOTHING + here, SMOOTHING + there
    ratios = np.abs(np.log(here / here.sum(axis=0)) - np.log(there / there.sum(axis=0)))
    return (1 - EVENNESS) * ratios + EVENNESS * ratios.mean(axis=0) if len(ratios) else ratios
