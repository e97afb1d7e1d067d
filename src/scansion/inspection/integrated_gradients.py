"""What each token of a text adds to a score where features are learned: an integrated gradient.

The slope of the score along the straight way from a text of hidden words to this one (Sundararajan et al. 2017,
section 3),

    contribution_i = (x_i - h) . integral over a in [0, 1] of  d score / d x_i  at  h + a (x - h)

by Gauss-Legendre quadrature, in as many parts as it takes for the contributions to add up.
"""

from typing import Any

import numpy as np
import torch

from scansion.inspection.attribution import Explained
from scansion.inspection.model_inputs import INPUTS, ModelInput, Window

NODES = 16
PARTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # of the way: pooling by maxima has corners, which no single rule likes
ENOUGH = 0.002  # of what the tokens have to explain
PRECISION = 1e-6  # of the score: sums in float32 do not come nearer
TOKENS_AT_A_TIME = 4_096


def learned_attribution(model: Any, text: str, output: int, read: ModelInput | None = None) -> Explained:
    """Of a network's output; ``read`` is its input of the text, if at hand."""
    read = INPUTS[type(model)](model, text) if read is None else read
    contributions, base, score = np.zeros(len(read.tokens)), 0.0, 0.0
    for window in read.windows():  # a long text's logits are the mean of its windows', weighted by their lengths
        found = _integrated(read, window, output)
        part = slice(window.first, window.first + len(found.contributions))
        contributions[part] += window.share * found.contributions
        base, score = base + window.share * found.base, score + window.share * found.score
    return Explained(contributions, base, score)


def _integrated(read: ModelInput, window: Window, output: int) -> Explained:
    """Integrated gradients of a window's own tokens."""
    with torch.no_grad():
        here, there = read.embedding(read.masked(window)), read.embedding(window.tokens)  # (1, L, D)
        base, score = (float(read.logits_from(vectors, window)[0, output]) for vectors in (here, there))
    enough = max(ENOUGH * abs(score - base), PRECISION * max(1.0, abs(score)))
    nodes, weights_of_nodes = np.polynomial.legendre.leggauss(NODES)
    for parts in PARTS:
        places = ((nodes + 1) / 2 + np.arange(parts)[:, None]) / parts  # (parts, NODES)
        shares = torch.from_numpy(places.ravel()).float()
        weights = torch.from_numpy(np.tile(weights_of_nodes / (2 * parts), parts)).float()
        slopes = torch.zeros_like(here[0])
        at_a_time = max(1, TOKENS_AT_A_TIME // window.tokens.shape[1])
        for part, weight in zip(shares.split(at_a_time), weights.split(at_a_time), strict=True):
            vectors = (here + part[:, None, None] * (there - here)).requires_grad_()
            (slope,) = torch.autograd.grad(read.logits_from(vectors, window)[:, output].sum(), vectors)
            slopes += (slope * weight[:, None, None]).sum(dim=0)
        found = ((there[0] - here[0]) * slopes).sum(dim=1).double().numpy()[window.inside]
        if abs(base + found.sum() - score) <= enough:
            break
    return Explained(found, base, score)
