"""The numbers of a reader's head, brought to the spread they should have on rows it has not learned from.

    minimise over a, b:   1/2 (a - 1)^2 + 1/2 b^2 + sum_i  w_i / 2 * (a * s_i + b - y_i)^2

``s_i`` are the scores of rows kept back.  What fits its own rows says numbers as far apart as theirs, which is too far
for others (Copas 1983, "Regression, prediction and shrinkage").  One row's worth of doubt keeps the line near ``s``
itself where few rows are kept back.  The order of the answers stays as it was.
"""

import numpy as np
import torch

from scansion.learning.reader import Reader
from scansion.learning.readers import ReaderJob


def refit_spread(reader: Reader, job: ReaderJob) -> None:
    """Scale and move the scores, in place, to where they fit the rows kept back best; if they are numbers."""
    if job.head.kind != "regression":
        return
    held = job.held_out
    slope, offset = line(job.scores(reader, held.sequences)[:, 0], held.targets, held.weights)
    with torch.no_grad():
        reader.scores.weight *= slope
        reader.scores.bias.mul_(slope).add_(offset)


def line(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of targets (N,) on scores (N,)."""
    columns = np.stack([scores, np.ones(len(scores))], axis=1).astype(np.float64)
    weighted = columns * weights[:, None]
    slope, offset = np.linalg.solve(weighted.T @ columns + np.eye(2), weighted.T @ targets + [1.0, 0.0])
    return float(slope), float(offset)
