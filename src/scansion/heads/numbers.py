"""A number: half the squared error of a target brought to mean 0 and standard deviation 1."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class NumbersHead:
    """``mean`` and ``deviation`` of the training targets, to undo the scaling."""

    mean: float
    deviation: float

    kind = "regression"
    size = 1

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Standardised targets (N,) float32."""
        return ((np.asarray(targets, np.float64) - self.mean) / self.deviation).astype(np.float32)

    def loss(self, scores: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """Half the squared error of each row, (B,); a number has no labels to smooth."""
        return 0.5 * (scores[:, 0] - targets).square()

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Numbers on the scale of the training targets, (N,)."""
        return scores[:, 0].astype(np.float64) * self.deviation + self.mean

    def errors(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The squared error of the standardised number, (N,)."""
        return (scores[:, 0].astype(np.float64) - targets) ** 2

    def group(self, targets: np.ndarray) -> None:
        """Numbers are split without strata."""
        return None

    def balance(self, targets: np.ndarray) -> np.ndarray:
        """Every row alike."""
        return np.ones(len(targets))
