"""A number, learned as a target brought to mean 0 and standard deviation 1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class RegressionHead:
    """``mean`` and ``deviation`` of the training targets, to undo the scaling."""

    mean: float
    deviation: float

    kind = "regression"
    static_by_default = True
    """Whether counts have static vectors beside them unless it is said."""
    labels: ClassVar[tuple[bool | int | float | str, ...]] = ()
    size = 1

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Standardised targets (N,) float32."""
        return ((np.asarray(targets, np.float64) - self.mean) / self.deviation).astype(np.float32)

    def decoded(self, targets: np.ndarray) -> np.ndarray:
        """Encoded targets on their own scale, (N,)."""
        return targets * self.deviation + self.mean

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """Numbers on the scale of the training targets, (N,)."""
        return logits[:, 0].astype(np.float64) * self.deviation + self.mean

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Of no labels, (N, 0)."""
        return np.zeros((len(logits), 0))

    def with_thresholds(self, logits: np.ndarray, targets: np.ndarray) -> "RegressionHead":
        """As it is: it has no thresholds."""
        return self

    def decide_held_out(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The same as :meth:`decide`, since nothing of it was chosen on these rows."""
        return self.decide(logits)

    def answers(self, logits: np.ndarray) -> list[float]:
        """The number of each row."""
        return self.decide(logits).tolist()

    def value(self, logits: np.ndarray, output: int, sign: float) -> np.ndarray:
        """The number itself, (N,)."""
        return self.decide(logits)

    def support(self, logits: np.ndarray, output: int, sign: float) -> np.ndarray:
        """The number itself, (N,)."""
        return self.decide(logits)

    def scale(self, sign: float) -> tuple[float, float]:
        """What an output is multiplied by, and what is added, on the scale of the targets."""
        return self.deviation, self.mean

    def errors(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The squared error of the standardised number, (N,)."""
        return (logits[:, 0].astype(np.float64) - targets) ** 2

    def group(self, targets: np.ndarray) -> None:
        """Numbers are split without strata."""
        return None

    def balanced(self, targets: np.ndarray) -> np.ndarray:
        """Of no labels, (0,)."""
        return np.ones(0)

    def weigh(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Every row alike."""
        return np.ones(len(targets))
