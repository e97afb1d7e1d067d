"""Held-out losses at their best temperature (Guo et al. 2017, section 4.2).

    min over t of  sum_i w_i * loss(t * logits_i, y_i) / sum_i w_i

How sure a head is depends on how strongly it was held back; how well it ranks the answers is what a choice between
strengths must compare.  Unlike the share of errors, this moves smoothly and uses every row.
"""

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from scansion.heads.catalogue import Head
from scansion.heads.losses import row_losses

WIDEST = 4.0  # temperatures from e^-4 to e^4


def calibrated_losses(head: Head, logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each row's loss at the best temperature of all, (N,); numbers have none, and are taken as they are.

    ``logits (N, K)``, ``targets`` as the head encodes them, ``weights (N,)``.
    """
    given, wanted = torch.from_numpy(logits), torch.from_numpy(targets)

    def losses(logarithm: float) -> np.ndarray:
        return row_losses(head, given * float(np.exp(logarithm)), wanted).numpy()

    if head.kind == "regression":
        return losses(0.0)
    best = minimize_scalar(
        lambda logarithm: np.average(losses(logarithm), weights=weights), bounds=(-WIDEST, WIDEST), method="bounded"
    )
    return losses(best.x)
