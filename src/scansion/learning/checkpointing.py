"""Where a fit keeps its runs while it trains, and their curves for good."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from scansion.learning.checkpoints import Checkpoints, StopRequest
from scansion.learning.events import Remark
from scansion.storage.metrics import BEFORE, METRICS, PICTURE, curves_folder_of, put_curves
from scansion.storage.run_folder import RunFolder


@dataclass
class Checkpointing:
    """Where a run is kept while it trains, how often, and what stops it; ``with`` releases it.

    What happens to a run that is there already is told by :meth:`scansion.storage.run_folder.RunFolder.begin`.
    """

    place: Path
    resume: bool = False
    anew: bool = False
    seconds: float = 60.0
    stop: StopRequest = field(default_factory=StopRequest)
    runs: list[RunFolder] = field(default_factory=list)

    def begin(self, described: dict[str, Any], title: str, before: str = "") -> Checkpoints:
        """Take up or make the run that is a function of what is described, or one that is made ``before`` it."""
        place = self.place.with_name(f"{self.place.name}.{before}") if before else self.place
        self.runs.append(RunFolder.begin(place, described, self.resume, self.anew))
        return Checkpoints(self.runs[-1], self.seconds, self.stop, f"{title}, {before}" if before else title)

    def remarks(self) -> Iterator[Remark]:
        """What became of the runs that were there."""
        going_on = False
        for run in self.runs:
            for fault in run.faults:
                yield Remark(f"A checkpoint is damaged and was set aside. {fault}")
            at = Checkpoints(run, self.seconds, self.stop).position()
            if at.step:
                going_on = True
                yield Remark(f"Going on with the run in {run.place} after step {at.step:,}, in epoch {at.epoch + 1}.")
        if self.resume and not going_on:
            yield Remark(f"There is no unfinished run in {self.place}; this is a new one.")

    def finish(self) -> list[str]:
        """The model stands, and of its runs only the curves are needed any more; what is worth saying of them."""
        folder = curves_folder_of(self.place)
        files: dict[str, bytes] = {}
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
