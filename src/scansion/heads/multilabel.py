"""Any subset of the labels: an independent yes or no for each (binary relevance).

    p(k) = 1 / (1 + exp(-s_k))
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit


@dataclass(frozen=True)
class MultilabelHead:
    """``labels`` in sorted order; targets are (N, labels) of 0 and 1."""

    labels: tuple[bool | int | float | str, ...]

    kind = "multilabel"

    @property
    def size(self) -> int:
        """Logits a document."""
        return len(self.labels)

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Already (N, labels); as float32."""
        return np.asarray(targets, np.float32)

    def decoded(self, targets: np.ndarray) -> np.ndarray:
        """Encoded targets as the measures take them, (N, labels) of 0 and 1."""
        return targets.astype(np.int64)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(N, labels), each between 0 and 1 on its own."""
        return expit(logits.astype(np.float64))

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """(N, labels) of 0 and 1: yes where that is likelier than no."""
        return (logits > 0).astype(np.int64)

    def answers(self, logits: np.ndarray) -> list[tuple[bool | int | float | str, ...]]:
        """The labels of each row."""
        return [tuple(self.labels[i] for i in np.flatnonzero(row).tolist()) for row in self.decide(logits)]

    def value(self, logits: np.ndarray, output: int, sign: float) -> np.ndarray:
        """The probability of one label, (N,)."""
        return self.probabilities(logits)[:, output]

    def support(self, logits: np.ndarray, output: int, sign: float) -> np.ndarray:
        """The logarithm of :meth:`value`, (N,)."""
        return log_expit(sign * logits[:, output].astype(np.float64))

    def scale(self, sign: float) -> tuple[float, float]:
        """What a logit is multiplied by, and what is added, on the scale of an answer's score."""
        return sign, 0.0

    def errors(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The share of labels decided wrongly, (N,)."""
        return (self.decide(logits) != targets).mean(axis=1)

    def group(self, targets: np.ndarray) -> np.ndarray:
        """What a stratified split keeps in proportion: how many labels a row has."""
        return targets.sum(axis=1).astype(np.int64)

    def balance(self, targets: np.ndarray) -> np.ndarray:
        """Weights (N,): the mean, over the labels a row has, of N / (labels * count); 1 for a row with none."""
        counts = np.maximum(targets.sum(axis=0), 1)
        weights = len(targets) / (len(self.labels) * counts)
        held = targets.sum(axis=1)
        return np.where(held > 0, targets @ weights / np.maximum(held, 1), 1.0)
