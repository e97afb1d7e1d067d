"""Checkpoints of a run: when one is due, what is in it, and how a run goes on from it, bit for bit.

All that a run does is a function of its job and of where it stands: the weights, the optimizer's means, and how far the
data has been read.  Nothing random has a state of its own, so nothing else needs keeping.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from scansion.errors import InterruptedRunError
from scansion.learning.events import Epoch, Event, Step
from scansion.learning.metrics_log import MetricsLog
from scansion.learning.optimizer import Optimizer
from scansion.learning.weight_average import BestWeights, WeightAverage
from scansion.storage.atomic import check_room
from scansion.storage.limits import CONFIG, WEIGHTS
from scansion.storage.run_folder import CHECKPOINTS_KEPT, RunFolder
from scansion.storage.schema import from_json, to_json

NOW, KEPT, OPTIMIZER, AVERAGE = "now.", "kept.", "optimizer.", "average."
COPIES = 5  # the weights, those kept, their mean, and two running means


@dataclass(frozen=True)
class Position:
    """How far a run is: steps, epochs and batches of the epoch under way that are done, and the time they took."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RunState:
    """How far a run is, and what it has measured so far."""

    position: Position = Position()
    loss: float = 0.0
    """The sum of the losses of this epoch's batches."""
    tokens: int = 0
    kept_epoch: int = 0
    lowest_error: float | None = None
    allowed_error: float | None = None


@dataclass
class StopRequest:
    """A request to stop after the next step, such as a signal makes; ``listeners`` pass it on to other processes."""

    asked: bool = False
    possible: bool = False
    """Whether a run is under way that would heed it."""
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def ask(self) -> None:
        """Stop after the step under way."""
        self.asked = True
        for tell in self.listeners:
            tell()


class NoCheckpoints:
    """For a run of which nothing is kept."""

    def resume(
        self, model: nn.Module, optimizer: Optimizer, average: WeightAverage, best: BestWeights
    ) -> RunState:
        """From the beginning."""
        return RunState()

    def note(self, event: Step | Epoch) -> Iterator[Event]:
        """Nothing is written down."""
        return iter(())

    def keep(
        self, state: RunState, model: nn.Module, optimizer: Optimizer, average: WeightAverage,
        kept: Mapping[str, np.ndarray],
    ) -> None:
        """Nothing is kept."""

    def end(self, record: dict[str, Any]) -> Iterator[Event]:
        """Nothing is written down."""
        return iter(())


class Checkpoints:
    """What a run keeps in its folder: a checkpoint every ``seconds`` and when it is asked to stop, and its metrics.

    Of several processes the first alone writes: for the others ``log`` is None, and ``seconds`` infinite.
    """

    def __init__(self, run: RunFolder, seconds: float, stop: StopRequest, title: str | None = None) -> None:
        self.run, self.seconds, self.stop, self.title = run, seconds, stop, title
        self.last = time.monotonic()
        self.log: MetricsLog | None = None

    def resume(self, model: nn.Module, optimizer: Optimizer, average: WeightAverage, best: BestWeights) -> RunState:
        """Put everything where the run stood; where that was.

        StorageError where there is no room for what is to be kept.
        """
        check_room(self.run.place, self._bytes(model) * COPIES * (CHECKPOINTS_KEPT + 1))
        folder, state = self.run.newest(), RunState()
        if folder is not None:
            state = from_json(RunState, folder.json(CONFIG), folder.where(CONFIG))
            tensors = folder.tensors(WEIGHTS)
            model.load_state_dict({name: torch.from_numpy(array) for name, array in _under(tensors, NOW).items()})
            optimizer.restore(_under(tensors, OPTIMIZER), state.position.step)
            average.restore(_under(tensors, AVERAGE))
            kept = _under(tensors, KEPT)
            if kept and state.lowest_error is not None and state.allowed_error is not None:
                best.resume(kept, state.kept_epoch, state.lowest_error, state.allowed_error)
        if self.title is not None:
            at = state.position
            self.log = MetricsLog(self.run.place, self.title, at.step, at.seconds)
        self.stop.possible = True
        return state

    def position(self) -> Position:
        """How far the run is that is there."""
        folder = self.run.newest()
        if folder is None:
            return Position()
        return from_json(RunState, folder.json(CONFIG), folder.where(CONFIG)).position

    def note(self, event: Step | Epoch) -> Iterator[Event]:
        """Write an event into the metrics; a remark if that cannot be done any more."""
        if self.log is not None and event.record is not None:
            yield from self.log.add(event.record)

    def keep(
        self, state: RunState, model: nn.Module, optimizer: Optimizer, average: WeightAverage,
        kept: Mapping[str, np.ndarray],
    ) -> None:
        """Save if it is time to; InterruptedRunError after a save that was asked for to stop.

        A model that carries a state from batch to batch (:mod:`scansion.learning.carried_state`) is saved after the
        last of these, so that none needs keeping.
        """
        asked = self.stop.asked
        if getattr(model, "carries_on", False) or not (asked or time.monotonic() - self.last >= self.seconds):
            return
        now = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
        parts = {NOW: now, KEPT: kept, OPTIMIZER: optimizer.state(), AVERAGE: average.state()}
        tensors = {prefix + name: array for prefix, part in parts.items() for name, array in part.items()}
        self.run.save(state.position.step, to_json(state), tensors)
        self.last = time.monotonic()
        if asked:
            if self.log is not None:
                self.log.draw()
            step = state.position.step
            raise InterruptedRunError(f"Stopped after step {step:,}; all of it is kept in {self.run.place}.")

    def end(self, record: dict[str, Any]) -> Iterator[Event]:
        """The run is over, with what it came to."""
        self.stop.possible = False
        if self.log is not None:
            yield from self.log.add(record)
            self.log.draw()

    @staticmethod
    def _bytes(model: nn.Module) -> int:
        return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())


def _under(tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
