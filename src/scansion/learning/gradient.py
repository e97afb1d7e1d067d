"""The gradient learner: the one loop.

It asks a model for ``loss(batch)`` and knows nothing else about it.  It is a generator: early stopping, checkpoints
and progress are ordinary ``for``, ``if`` and ``break`` around it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import nn

from scansion.errors import DivergedError
from scansion.layers.dropout import reseed
from scansion.learning.optimiser import Optimiser
from scansion.options import check_positive, check_shares, check_whole


@dataclass(frozen=True)
class Training:
    """One recipe for every data set: a small one is read more often, in smaller batches."""

    tokens: int = 20_000_000
    """Tokens to read in all, as far as the bounds on epochs allow."""
    fewest_epochs: int = 3
    most_epochs: int = 8
    steps: int = 1_000
    """Steps a small data set is cut into, as far as the bounds on batches allow."""
    smallest_batch: int = 100
    largest_batch: int = 4_000
    warm_up: float = 0.1
    """The share of the run in which the learning rate rises; then it falls to zero in a straight line."""
    weight_decay: float = 0.01
    label_smoothing: float = 0.1
    largest_gradient: float = 1.0
    averaged: float = 0.0
    """The share of a run whose weights are averaged into those that are kept; 0 to keep them as they are."""
    held_out: float = 0.05
    """The share of rows kept back, at most ``most_held_out``, to choose the epoch whose weights are kept."""
    most_held_out: int = 2_000

    def __post_init__(self) -> None:
        check_whole(self, "tokens", "fewest_epochs", "steps", "smallest_batch", "most_held_out")
        check_whole(self, "most_epochs", least=self.fewest_epochs)
        check_whole(self, "largest_batch", least=self.smallest_batch)
        check_shares(self, "weight_decay", "label_smoothing")
        check_positive(self, "warm_up", "largest_gradient", "held_out")
        check_shares(self, "warm_up", "averaged", "held_out")

    def epochs(self, tokens: int) -> int:
        """Epochs for a training set of so many tokens."""
        return int(np.clip(round(self.tokens / max(1, tokens)), self.fewest_epochs, self.most_epochs))

    def batch(self, tokens: int) -> int:
        """Tokens a batch for a training set of so many tokens."""
        return int(np.clip(tokens * self.epochs(tokens) // self.steps, self.smallest_batch, self.largest_batch))


@dataclass(frozen=True)
class Step:
    """What one step of the loop did."""

    number: int
    epoch: int
    loss: float
    """The mean loss of a row."""
    tokens: int
    progress: float
    """From 0 to 1; the learning rate follows it, so a run that must end early still ends well."""
    batch: int
    """Batches of the epoch that are done."""
    ends_epoch: bool
    learning_rate: float
    seconds: float
    """Since the run began, without the time in which it stood still."""

    @property
    def milestone(self) -> bool:
        """Whether it ends an epoch, or its number has at most three digits before its zeros.

        Of any run these are some thousand steps, and always the same ones.
        """
        return self.ends_epoch or self.number % 10 ** max(0, len(str(self.number)) - 3) == 0


class Engine(Protocol):
    """How processes work together; :class:`Alone` is one process."""

    rank: int
    size: int

    def share(self, optimiser: Optimiser, loss: float, progress: float) -> tuple[float, float]:
        """Sum gradients and losses over all processes; the first one's progress."""
        ...


class Alone:
    """One process."""

    rank, size = 0, 1

    def share(self, optimiser: Optimiser, loss: float, progress: float) -> tuple[float, float]:
        """Nothing to share."""
        return loss, progress


@dataclass(frozen=True)
class Position:
    """How far a run is: steps, epochs and batches of the epoch under way that are done, and the time they took."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0


def train(
    model: nn.Module,
    optimiser: Optimiser,
    plan: Callable[[int], Sequence[np.ndarray]],
    batch: Callable[[np.ndarray], Any],
    weights: np.ndarray,
    lengths: np.ndarray,
    training: Training,
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    engine: Engine,
    deadline: float = float("inf"),
    start: Position = Position(),
) -> Iterator[Step]:
    """Train in place, one :class:`Step` at a time.

    ``model.loss(batch)`` is the summed loss of a batch, a scalar.  ``plan(epoch)`` gives an epoch's batches as row
    numbers and ``batch(rows)`` makes one; each process takes every ``size``-th row of a batch.  ``weights`` and
    ``lengths`` are the rows' own.  ``deadline`` (``time.monotonic``) bounds the run: the schedule is then drawn
    together so that it still ends at zero.  DivergedError at the first loss that is not a number, before any weight has
    moved.
    """
    number, begun = start.step, time.monotonic() - start.seconds
    model.train()
    for epoch in range(start.epoch, epochs):
        batches = plan(epoch)
        share = float(weights.sum()) / len(batches)  # not the batch's own: every row has the same say
        for index in range(start.batch if epoch == start.epoch else 0, len(batches)):
            rows = batches[index]
            spent = (time.monotonic() - begun) / max(1e-9, deadline - begun)
            progress = max((epoch + index / len(batches)) / epochs, spent)
            reseed(model, seed, number, engine.rank)
            mine = rows[engine.rank :: engine.size]
            optimiser.clear()
            summed = 0.0
            if len(mine):
                loss = model.loss(batch(mine)) / share
                loss.backward()
                summed = float(loss.detach())
            value, progress = engine.share(optimiser, summed, progress)
            if not np.isfinite(value):
                raise DivergedError(
                    f"The loss became {value} at step {number} (rows {', '.join(map(str, rows[:8]))}"
                    f"{' …' if len(rows) > 8 else ''}). Lower the learning rate, or look at those rows."
                )
            if progress >= 1:
                return
            rate = learning_rate * height(progress, training.warm_up)
            optimiser.step(rate)
            number += 1
            last, mean = index == len(batches) - 1, value * share / float(weights[rows].sum())
            yield Step(
                number, epoch, mean, int(lengths[rows].sum()), progress, index + 1, last, rate,
                time.monotonic() - begun,
            )
            model.train()


def height(progress: float, warm_up: float) -> float:
    """The learning rate's share of its peak: up in a straight line, then down in one."""
    return min(progress / warm_up, (1 - progress) / (1 - warm_up)) if progress > 0 else 1e-3
