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
    part_rows: int = 0
    """Training rows, where they are a part of a fold's; else 0."""
    begins: bool = False
    """Whether it is one that a family begins with, before it is trained with all rows."""

    def title(self, folds: int | None) -> str:
        """As it is told, of a comparison in so many folds."""
        fold = f", part {self.fold % folds + 1} of {folds}" if folds else ""
        rows = f", {self.part_rows:,} rows" if self.part_rows else ""
        return f"{self.label}, seed {self.seed}{fold}{rows}"


@dataclass(frozen=True)
class RunEvent:
    """What happens in a run; ``progress`` from 0 to 1 where it is known."""

    run: Run
    message: str
    progress: float | None

    def shown(self, folds: int | None) -> "Message":
        """As it is told, of a comparison in so many folds."""
        return Message(f"{self.run.title(folds)}: {self.message}", self.progress)


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
    """Why a budget was not enough for it: it had no step, or had not read enough, or nothing was solved."""
    needless: str = ""
    """Why another seed would tell nothing new."""
    dropped: str = ""
    """Why its family is not trained with all rows."""
    standing: str = ""
    """Of the run that completes a seed: the family's score and place so far."""

    def shown(self, folds: int | None) -> "Message":
        """As it is told, of a comparison in so many folds."""
        said = self.failure or (self.untrained and f"not trained in this budget: {self.untrained}")
        said = said or (self.dropped and f"dropped early: {self.dropped}")
        said = said or (self.needless and f"left out: {self.needless}")
        said = said or f"{self.standing}{'; ' * bool(self.standing)}{self.cost['fit_seconds']:.1f} s"
        return Message(f"{self.run.title(folds)}: {said}", lasting=True)


@dataclass(frozen=True)
class Message:
    """A sentence for those who watch, and how far it is."""

    message: str
    progress: float | None = None
    lasting: bool = False

    def shown(self, folds: int | None) -> "Message":
        """As it is."""
        return self
