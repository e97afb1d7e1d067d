"""A run of the gradient learner, watched on held-out rows: the same for documents and for translations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from torch import nn

from scansion.learning.averaging import Average
from scansion.learning.checkpoints import Checkpoints, Standing
from scansion.learning.gradient import Engine, Position, Step, Training, train
from scansion.learning.optimiser import Optimiser
from scansion.text.batches import epoch_plan

BUDGET_SPENT = "the budget was spent"
PATIENCE = 4  # epochs in a row that are clearly worse than the best, after which a run stops


class Job(Protocol):
    """All that a run is a function of: with equal jobs, runs are equal to the last bit."""

    training: Training
    seed: int
    learning_rate: float
    lengths: np.ndarray
    """Tokens of each row, (N,), by which batches are cut."""
    weights: np.ndarray
    """How much each row counts, (N,)."""

    def build(self) -> nn.Module:
        """The model with its first weights, which has ``loss(batch)``."""
        ...

    def batch(self, rows: np.ndarray) -> Any:
        """The given rows as the model takes them."""
        ...

    def errors(self, model: nn.Module) -> tuple[np.ndarray, np.ndarray]:
        """The error of each held-out row (M,), and how much it counts (M,)."""
        ...

    def write(self, folder: Path) -> None:
        """Everything, for another process."""
        ...

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        ...


@dataclass(frozen=True)
class Epoch:
    """The end of an epoch: its mean training loss, its mean held-out error, and whether its weights are kept."""

    number: int
    of: int
    training_loss: float
    held_out_error: float
    kept: bool
    seconds: float


@dataclass(frozen=True)
class Learned:
    """The kept weights by name, and the epoch they are of."""

    weights: dict[str, np.ndarray]
    epoch: int
    epochs: int
    steps: int
    tokens: int
    ended: str
    """Why the run ended."""


def learn_by_steps(
    job: Job, engine: Engine, deadline: float = float("inf"), checkpoints: Checkpoints | None = None
) -> Iterator[Step | Epoch | Learned]:
    """Every :class:`Step`, an :class:`Epoch` after each, and at last the :class:`Learned`.

    With ``checkpoints`` the run goes on from the last of them, and keeps new ones.
    """
    training, lengths = job.training, job.lengths
    model = job.build()
    tokens = int(lengths.sum())
    epochs, budget = training.epochs(tokens), training.batch(tokens)
    optimiser = Optimiser(model, training.weight_decay, training.largest_gradient)
    average = Average(model, training.averaged)
    watch = Watch(model, average, lambda: job.errors(model))
    at = Standing()
    if checkpoints is not None:
        at, kept = checkpoints.resume(model, optimiser, average)
        watch.resume(at, kept)
        deadline -= at.position.seconds  # a budget is for the whole run
    ended = "all epochs done"
    steps = train(
        model, optimiser, lambda epoch: epoch_plan(lengths, budget, job.seed, epoch), job.batch, job.weights, lengths,
        training, epochs=epochs, learning_rate=job.learning_rate, seed=job.seed, engine=engine, deadline=deadline,
        start=at.position,
    )
    for step in steps:
        here = Position(step.number, step.epoch, step.batch, step.seconds)
        at = replace(at, position=here, loss=at.loss + step.loss, tokens=at.tokens + step.tokens)
        average.add(step.number)
        yield step
        if step.ends_epoch:
            error, kept = watch.look(step.epoch + 1)
            yield Epoch(step.epoch + 1, epochs, at.loss / step.batch, error, kept, step.seconds)
            if watch.epoch + PATIENCE <= step.epoch + 1:
                ended = f"{PATIENCE} epochs in a row were clearly worse than the best"
                break
            at = replace(
                at, position=replace(here, epoch=step.epoch + 1, batch=0), loss=0.0, kept_epoch=watch.epoch,
                lowest_error=watch.lowest, allowed_error=watch.allowed,
            )
        if checkpoints is not None:
            checkpoints.keep(at, model, optimiser, average, watch.weights)
    else:
        if at.position.epoch < epochs:
            ended = BUDGET_SPENT
            if at.position.batch or not watch.weights:
                watch.look(at.position.epoch + 1)
    if checkpoints is not None:
        checkpoints.stop.possible = False
    yield Learned(watch.weights, watch.epoch, epochs, at.position.step, at.tokens, ended)


class Watch:
    """Keeps the weights of the latest epoch that is not clearly worse than the best one.

    A run that is not overfitting is best at its end, where the learning rate is lowest; small held-out parts are too
    noisy to say more than that.  An epoch is clearly worse if its held-out error, less its standard error, is above the
    lowest with its own (the rule of Breiman et al. 1984, section 3.4.3, for two errors of which both are uncertain).
    """

    def __init__(
        self, model: nn.Module, average: Average, errors: Callable[[], tuple[np.ndarray, np.ndarray]]
    ) -> None:
        self.model, self.average, self.errors = model, average, errors
        self.lowest, self.allowed, self.epoch = float("inf"), float("inf"), 0
        self.weights: dict[str, np.ndarray] = {}

    def resume(self, at: Standing, weights: dict[str, np.ndarray]) -> None:
        """Go on where a run stood."""
        if weights:
            self.lowest, self.allowed = at.lowest_error, at.allowed_error
            self.epoch, self.weights = at.kept_epoch, weights

    def look(self, epoch: int) -> tuple[float, bool]:
        """This epoch's held-out error, and whether its weights are kept."""
        with self.average.in_place():
            return self._look(epoch)

    def _look(self, epoch: int) -> tuple[float, bool]:
        errors, weights = self.errors()
        mean = float(np.average(errors, weights=weights))
        spread = float(np.sqrt((weights**2 * (errors - mean) ** 2).sum())) / float(weights.sum())
        if mean < self.lowest:
            self.lowest, self.allowed = mean, mean + spread
        kept = mean - spread <= self.allowed or not self.weights
        if kept:
            self.epoch, self.weights = epoch, weights_of(self.model)
        return mean, kept


def weights_of(model: nn.Module) -> dict[str, np.ndarray]:
    """A copy of the weights."""
    return {name: tensor.detach().numpy().copy() for name, tensor in model.state_dict().items()}
