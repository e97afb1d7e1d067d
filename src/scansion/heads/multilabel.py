"""Any subset of the labels: an independent yes or no for each (binary relevance).

    p(k) = 1 / (1 + exp(-s_k)),        yes if p(k) > t_k
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, log_expit, logit

from scansion.errors import UsageError
from scansion.heads.thresholds import best_thresholds


@dataclass(frozen=True)
class MultilabelHead:
    """``labels`` in sorted order; targets are (N, labels) of 0 and 1."""

    labels: tuple[bool | int | float | str, ...]
    thresholds: tuple[float, ...] = ()
    """The probability from which on a document has each label; none where an even chance is, as before there were."""

    def __post_init__(self) -> None:
        if self.thresholds and len(self.thresholds) != len(self.labels):
            raise UsageError(f"{len(self.labels):,} labels have as many thresholds; got {len(self.thresholds):,}.")
        for threshold in self.thresholds:
            if not 0 <= threshold <= 1:
                raise UsageError(f"A threshold is a probability from 0 to 1; got {threshold}.")

    kind = "multilabel"
    static_by_default = False
    """Whether counts have static vectors beside them unless it is said; every label would pay for dense dimensions."""

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
        """(N, labels) of 0 and 1: yes above the label's threshold."""
        return (logits > logit(self.thresholds or 0.5)).astype(np.int64)

    def with_thresholds(self, logits: np.ndarray, targets: np.ndarray) -> "MultilabelHead":
        """With the thresholds that are best for these rows (N, labels), which were not learned from."""
        if not len(targets):
            return self
        return replace(self, thresholds=tuple(best_thresholds(logits, targets).tolist()))

    def decide_held_out(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Like :meth:`decide`, each half of the rows by the thresholds that are best for the other half."""
        decided = np.zeros(logits.shape, np.int64)
        for half in (0, 1):
            other = self.with_thresholds(logits[1 - half :: 2], targets[1 - half :: 2])
            decided[half::2] = other.decide(logits[half::2])
        return decided

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

    def balanced(self, targets: np.ndarray) -> np.ndarray:
        """Weights of the labels (K,): N / (labels * count)."""
        return len(targets) / (len(self.labels) * np.maximum(targets.sum(axis=0), 1))

    def weigh(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The mean weight of the labels that a row has, (N,); 1 for a row with none."""
        held = targets.sum(axis=1)
        return np.where(held > 0, targets @ weights / np.maximum(held, 1), 1.0)
