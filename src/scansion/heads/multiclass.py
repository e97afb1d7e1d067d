"""One of several labels: a logit per label, and their softmax.

    p(k) = exp(s_k) / sum_j exp(s_j)

Two labels need one logit only, ``p(second) = 1 / (1 + exp(-s))``.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax


@dataclass(frozen=True)
class MulticlassHead:
    """``labels`` in sorted order; targets are label numbers (N,)."""

    labels: tuple[bool | int | float | str, ...]

    kind = "multiclass"
    static_by_default = True
    """Whether counts have static vectors beside them unless it is said."""

    @property
    def size(self) -> int:
        """Logits a document: one for one or two labels, else one a label."""
        return 1 if len(self.labels) <= 2 else len(self.labels)

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Label numbers (N,) int64."""
        return np.searchsorted(np.array(self.labels), targets).astype(np.int64)

    def decoded(self, targets: np.ndarray) -> np.ndarray:
        """Encoded targets as the measures take them, label numbers (N,)."""
        return targets.astype(np.int64)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(N, labels), every row sums to one."""
        if len(self.labels) == 1:
            return np.ones((len(logits), 1))
        if self.size == 1:
            second = expit(logits[:, 0].astype(np.float64))
            return np.stack([1 - second, second], axis=1)
        return softmax(logits.astype(np.float64), axis=1)

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """The number of the likeliest label, (N,)."""
        return self.probabilities(logits).argmax(axis=1)

    def with_thresholds(self, logits: np.ndarray, targets: np.ndarray) -> "MulticlassHead":
        """As it is: it has no thresholds."""
        return self

    def decide_held_out(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The same as :meth:`decide`, since nothing of it was chosen on these rows."""
        return self.decide(logits)

    def answers(self, logits: np.ndarray) -> list[bool | int | float | str]:
        """The likeliest label of each row."""
        return [self.labels[number] for number in self.decide(logits).tolist()]

    def value(self, logits: np.ndarray, output: int, sign: float) -> np.ndarray:
        """The probability of the label whose logit, or of two labels whose ``sign`` of it, is looked at, (N,)."""
        shares = self.probabilities(logits)
        if self.size == 1:
            return shares[:, -1] if sign > 0 else shares[:, 0]
        return shares[:, output]

    def support(self, logits: np.ndarray, output: int, sign: float) -> np.ndarray:
        """The logarithm of :meth:`value`, (N,)."""
        exact = logits.astype(np.float64)
        if self.size == 1 < len(self.labels):
            return log_expit(sign * exact[:, output])
        return log_softmax(exact, axis=1)[:, output]  # zero where there is but one label

    def scale(self, sign: float) -> tuple[float, float]:
        """What a logit is multiplied by, and what is added, on the scale of an answer's score."""
        return sign, 0.0

    def errors(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """1 where the decision is wrong, else 0, (N,)."""
        return (self.decide(logits) != targets).astype(np.float64)

    def group(self, targets: np.ndarray) -> np.ndarray:
        """What a stratified split keeps in proportion."""
        return targets

    def balanced(self, targets: np.ndarray) -> np.ndarray:
        """Weights of the labels (K,) that give every label the same total: N / (labels * count)."""
        counts = np.bincount(targets, minlength=len(self.labels))
        return len(targets) / (np.count_nonzero(counts) * np.maximum(counts, 1))

    def weigh(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The weight of each row's label, (N,)."""
        return weights[targets]
