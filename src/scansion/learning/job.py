"""What a training run is a function of, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from torch import nn

from scansion.learning.description import FitDescription
from scansion.learning.training import Training
from scansion.text.batches import epoch_plan

BUDGET_SPENT = "the budget was spent"
BEFORE_AN_EPOCH = "the budget was spent before the first epoch was done"


class Job(Protocol):
    """All that a run is a function of: with equal jobs, runs are equal to the last bit."""

    @property
    def description(self) -> FitDescription: ...

    @property
    def training(self) -> Training: ...

    @property
    def seed(self) -> int: ...

    @property
    def learning_rate(self) -> float: ...

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, (N,), by which batches are cut."""
        ...

    @property
    def weights(self) -> np.ndarray:
        """How much each row counts, (N,)."""
        ...

    def build(self) -> nn.Module:
        """The model with its first weights, which has ``loss(batch)``."""
        ...

    def plan(self, batch_tokens: int, epoch: int) -> Sequence[np.ndarray]:
        """The batches of an epoch, as row numbers; about so many tokens each, padding included."""
        ...

    def batch(self, rows: np.ndarray) -> Any:
        """The given rows as the model takes them."""
        ...

    def errors(self, model: Any) -> tuple[np.ndarray, np.ndarray]:
        """The error of each held-out row (M,), and how much it counts (M,)."""
        ...

    def write(self, folder: Path) -> None:
        """Everything, for another process."""
        ...

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        ...


class ShuffledRows:
    """Of a job: the plan of rows that are read each for itself, in an order drawn anew for every epoch."""

    def plan(self: Job, batch_tokens: int, epoch: int) -> Sequence[np.ndarray]:
        """See :class:`Job`."""
        return epoch_plan(self.lengths, batch_tokens, self.seed, epoch)


@dataclass(frozen=True)
class TrainedWeights:
    """The weights that were kept, by name, and the epoch they are of."""

    weights: dict[str, np.ndarray]
    epoch: int
    epochs: int
    steps: int
    tokens: int
    ended: str
    """Why the run ended."""
    workers: int = 0
    """Processes beside the caller's own that trained them."""

    @property
    def cut_short(self) -> bool:
        """Whether a budget ended the run."""
        return self.ended in (BUDGET_SPENT, BEFORE_AN_EPOCH)

    @property
    def untrained(self) -> str:
        """How far it came if it has read too little to say something of its family; else empty."""
        return f"its first epoch was not done after {self.steps:,} steps" if self.ended == BEFORE_AN_EPOCH else ""

    @property
    def record(self) -> dict[str, Any]:
        """See :mod:`scansion.storage.metrics`."""
        return {
            "event": "end", "step": self.steps, "epoch": self.epoch, "epochs": self.epochs, "tokens": self.tokens,
            "ended": self.ended,
        }
