"""The numbers of a reader's head, brought to the spread they should have on rows it has not learned from.

    minimise over a, b:   d/2 (a - 1)^2 + d/2 b^2 + sum_i  w_i / 2 * (a * s_i + b - y_i)^2

``s_i`` are the scores of rows kept back.  What fits its own rows says numbers as far apart as theirs, which is too far
for others (Copas 1983, "Regression, prediction and shrinkage").  Ten rows' worth of doubt, ``d``, keep the line
near ``s`` itself where few rows are kept back.  The order of the answers stays as it was: a line that falls is not
believed.
"""

import numpy as np
import torch

from scansion.learning.reader import Reader
from scansion.learning.readers import ReaderJob

DOUBT = 10.0  # rows


def refit_spread(reader: Reader, job: ReaderJob) -> None:
    """Scale and move the scores, in place, to where they fit the rows kept back best; if they are numbers."""
    if job.head.kind != "regression":
        return
    held = job.held_out
    slope, offset = line(job.scores(reader, held.sequences)[:, 0], held.targets, held.weights)
    if slope <= 0:
        return
    with torch.no_grad():
        reader.scores.weight *= slope
        reader.scores.bias.mul_(slope).add_(offset)


def line(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of targets (N,) on scores (N,)."""
    columns = np.stack([scores, np.ones(len(scores))], axis=1).astype(np.float64)
    weighted = columns * weights[:, None]
    sides = weighted.T @ columns + DOUBT * np.eye(2), weighted.T @ targets + [DOUBT, 0.0]
    slope, offset = np.linalg.solve(*sides)
    return float(slope), float(offset)
