"""Where a fit keeps its runs while it trains, and their curves for good."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from scansion.learning.checkpoints import Checkpoints, Stop
from scansion.learning.counted import Remark
from scansion.learning.parallel import learn_with
from scansion.learning.run import Job
from scansion.storage.metrics import BEFORE, METRICS, PICTURE, curves_folder_of, put_curves
from scansion.storage.runs import Run
from scansion.tasks.recording import Event, Recording


@dataclass(frozen=True)
class Kept:
    """A run that is kept: its checkpoints, and the record of what it measures."""

    checkpoints: Checkpoints
    recording: Recording


def learn_kept(processes: int, job: Job, deadline: float, kept: Kept | None) -> Iterator[Event | Remark]:
    """What :func:`scansion.learning.parallel.learn_with` yields of a run, kept or not."""
    if kept is None:
        return learn_with(processes, job, deadline, None)
    return kept.recording.following(learn_with(processes, job, deadline, kept.checkpoints))


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

    def begin(self, described: dict[str, Any], before: str = "") -> Kept:
        """Take up or make the run that is a function of what is described, or one that is made ``before`` it."""
        place = self.place.with_name(f"{self.place.name}.{before}") if before else self.place
        self.runs.append(Run.begin(place, described, self.resume, self.anew))
        checkpoints = Checkpoints(self.runs[-1], self.seconds, self.stop)
        title = f"{described['family']}, {before}" if before else described["family"]
        return Kept(checkpoints, Recording(place, title, checkpoints.position()))

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

    def finish(self) -> list[str]:
        """The model stands, and of its runs only the curves are needed any more; what is worth saying of them."""
        folder, files = curves_folder_of(self.place), {}
        try:
            for run in self.runs:
                before = "" if run.place == self.place else BEFORE
                found = {before + name: run.place / name for name in (METRICS, PICTURE)}
                files |= {name: path.read_bytes() for name, path in found.items() if path.exists()}
            put_curves(folder, files)
        except OSError as error:
            return [f"Warning: the training curves are lost. {error}"]
        finally:
            for run in self.runs:
                run.remove()
        return [f"training curves: {folder / PICTURE}"] if files else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for run in self.runs:
            run.close()
