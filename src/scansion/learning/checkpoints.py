"""Checkpoints of a run: when one is due, what is in it, and how a run goes on from it, bit for bit.

All that a run does is a function of its job and of where it stands: the weights, the optimiser's means, and how far the
data has been read.  Nothing random has a state of its own, so nothing else needs keeping.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from scansion.errors import InterruptedRunError
from scansion.learning.averaging import Average
from scansion.learning.gradient import Position
from scansion.learning.optimiser import Optimiser
from scansion.storage.atomic import check_room
from scansion.storage.limits import CONFIG, WEIGHTS
from scansion.storage.runs import CHECKPOINTS_KEPT, Run
from scansion.storage.schema import from_json, to_json

NOW, KEPT, OPTIMISER, AVERAGE = "now.", "kept.", "optimiser.", "average."
COPIES = 5  # the weights, those kept, their mean, and two running means


@dataclass(frozen=True)
class Standing:
    """How far a run is, and what it has seen so far."""

    position: Position = Position()  # noqa: RUF009
    loss: float = 0.0
    """The sum of the losses of this epoch's batches."""
    tokens: int = 0
    kept_epoch: int = 0
    lowest_error: float | None = None
    allowed_error: float | None = None


@dataclass
class Stop:
    """A wish to stop at the next step, which a signal may utter; ``told`` passes it on to another process."""

    asked: bool = False
    possible: bool = False
    """Whether there is a run that would hear it."""
    told: list[Callable[[], None]] = field(default_factory=list)

    def ask(self) -> None:
        """Stop after the step under way."""
        self.asked = True
        for tell in self.told:
            tell()


class Checkpoints:
    """What a run keeps in its folder, every ``seconds`` and when it is asked to stop."""

    def __init__(self, run: Run, seconds: float, stop: Stop) -> None:
        self.run, self.seconds, self.stop = run, seconds, stop
        self.last = time.monotonic()

    def resume(
        self, model: nn.Module, optimiser: Optimiser, average: Average
    ) -> tuple[Standing, dict[str, np.ndarray]]:
        """Put all three where the run stood; where that was, and the weights it had kept.

        StorageError where there is no room for what is to be kept.
        """
        check_room(self.run.place, self._bytes(model) * COPIES * (CHECKPOINTS_KEPT + 1))
        self.stop.possible = True
        folder = self.run.newest()
        if folder is None:
            return Standing(), {}
        standing = from_json(Standing, folder.json(CONFIG), folder.where(CONFIG))
        tensors = folder.tensors(WEIGHTS)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in _under(tensors, NOW).items()})
        optimiser.restore(_under(tensors, OPTIMISER), standing.position.step)
        average.restore(_under(tensors, AVERAGE))
        return standing, _under(tensors, KEPT)

    def position(self) -> Position:
        """How far the run is that is there."""
        folder = self.run.newest()
        if folder is None:
            return Position()
        return from_json(Standing, folder.json(CONFIG), folder.where(CONFIG)).position

    def keep(
        self, standing: Standing, model: nn.Module, optimiser: Optimiser, average: Average,
        kept: Mapping[str, np.ndarray],
    ) -> None:
        """Save if it is time to; InterruptedRunError after a save that was asked for to stop."""
        asked = self.stop.asked
        if not asked and time.monotonic() - self.last < self.seconds:
            return
        now = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
        parts = {NOW: now, KEPT: kept, OPTIMISER: optimiser.state(), AVERAGE: average.state()}
        tensors = {prefix + name: array for prefix, part in parts.items() for name, array in part.items()}
        self.run.save(standing.position.step, to_json(standing), tensors)
        self.last = time.monotonic()
        if asked:
            step = standing.position.step
            raise InterruptedRunError(f"Stopped after step {step:,}; all of it is kept in {self.run.place}.")

    @staticmethod
    def _bytes(model: nn.Module) -> int:
        return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())


def _under(tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
