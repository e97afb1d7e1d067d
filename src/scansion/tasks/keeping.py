"""Where a fit keeps its runs while it trains."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from scansion.learning.checkpoints import Checkpoints, Stop
from scansion.storage.runs import Run


@dataclass
class Keeping:
    """Where a run is kept while it trains, how often, and what stops it; ``with`` lets go of it.

    What happens to a run that is there already is told by :meth:`scansion.storage.runs.Run.begin`.
    """

    place: Path
    resume: bool = False
    anew: bool = False
    seconds: float = 60.0
    stop: Stop = field(default_factory=Stop)
    runs: list[Run] = field(default_factory=list)

    def begin(self, described: dict[str, Any], before: str = "") -> Checkpoints:
        """Take up or make the run that is a function of what is described, or one that is made ``before`` it."""
        place = self.place.with_name(f"{self.place.name}.{before}") if before else self.place
        self.runs.append(Run.begin(place, described, self.resume, self.anew))
        return Checkpoints(self.runs[-1], self.seconds, self.stop)

    def remarks(self) -> Iterator[str]:
        """What became of the runs that were there."""
        going_on = False
        for run in self.runs:
            for fault in run.faults:
                yield f"A checkpoint is not whole and was thrown away. {fault}"
            at = Checkpoints(run, self.seconds, self.stop).position()
            if at.step:
                going_on = True
                yield f"Going on with the run in {run.place} after step {at.step:,}, in epoch {at.epoch + 1}."
        if self.resume and not going_on:
            yield f"There is no unfinished run in {self.place}; this is a new one."

    def finish(self) -> None:
        """The model stands, and its run is not needed any more."""
        for run in self.runs:
            run.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for run in self.runs:
            run.close()
