"""One run of a comparison, a family with a seed on a fold, and what happens in it and comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """What one process fits; ``arguments`` are the estimator's own, beside those that all have."""

    label: str
    family: Any
    seed: int
    fold: int
    task: str
    processes: int | None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunEvent:
    """What happens in a run; ``progress`` from 0 to 1 where it is known."""

    label: str
    seed: int
    fold: int
    message: str
    progress: float | None

    def shown(self, folds: int | None) -> "Message":
        """As it is told, of a comparison in so many folds."""
        return Message(f"{_title(self.label, self.seed, self.fold, folds)}: {self.message}", self.progress)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gave: answers for its fold's test rows and its cost, or why it failed, or why it was not trained.

    ``confidences`` are the probability of each answer (N,), or of each label (N, labels); ``paces (slices, 2)`` are
    test rows and the seconds they took, by length.
    """

    run: Run
    answers: list[Any]
    cost: dict[str, Any]
    failure: str = ""
    confidences: NDArray | None = None
    paces: NDArray | None = None
    untrained: str = ""
    """Why a budget was not enough for it: it had no step, or its first epoch was not done, or nothing was solved."""
    needless: str = ""
    """Why another seed would tell nothing new."""
    standing: str = ""
    """Of the run that completes a seed: the family's score and place so far."""

    def shown(self, folds: int | None) -> "Message":
        """As it is told, of a comparison in so many folds."""
        said = self.failure or (self.untrained and f"not trained in this budget: {self.untrained}")
        said = said or (self.needless and f"left out: {self.needless}")
        said = said or f"{self.standing}{'; ' * bool(self.standing)}{self.cost['fit_seconds']:.1f} s"
        return Message(f"{_title(self.run.label, self.run.seed, self.run.fold, folds)}: {said}", lasting=True)


@dataclass(frozen=True)
class Message:
    """A sentence for those who watch, and how far it is."""

    message: str
    progress: float | None = None
    lasting: bool = False

    def shown(self, folds: int | None) -> "Message":
        """As it is."""
        return self


def _title(label: str, seed: int, fold: int, folds: int | None) -> str:
    return f"{label}, seed {seed}" + (f", part {fold + 1} of {folds}" if folds else "")
