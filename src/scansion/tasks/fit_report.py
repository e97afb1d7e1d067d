"""What a fit of documents has come to."""

from dataclasses import dataclass

import numpy as np

from scansion.heads.catalogue import Head
from scansion.measures.intervals import Interval, interval_of
from scansion.measures.scores import main_measure
from scansion.tasks.training_data import FitResult
from scansion.viewer.number_format import cost_shown


@dataclass(frozen=True)
class FitReport:
    """What a fit did: its cost, and its score on held-out rows (an inner choice was made on them too)."""

    seconds: float
    """Of a run that was gone on with, those since then."""
    processor_seconds: float
    """What processors worked in that time, for this process and for those that it started."""
    parameters: int
    workers: int
    """Processes beside the caller's own that trained it."""
    measure: str
    validation: Interval | None
    """Every held-out row counts once, whatever its weight."""
    notes: tuple[str, ...]
    cut_short: bool
    """Whether the budget was spent before all was learned."""
    untrained: str = ""
    """How far it came if the budget was spent before enough was read for a score; else empty."""

    @property
    def cost(self) -> str:
        """``12.0 s, 21 processor seconds``."""
        return cost_shown(self.seconds, self.processor_seconds)


def report_of(
    result: FitResult, notes: tuple[str, ...], head: Head, encoded: np.ndarray, cost: tuple[float, float]
) -> FitReport:
    """The report on a fit of such a cost, seconds and processor seconds; ``notes`` are on how its texts were read."""
    measure, validation = main_measure(head.kind), None
    if len(result.held_out) > 1:
        truth = encoded[result.held_out]
        found = head.decide_held_out(result.held_out_logits, truth)
        validation = interval_of(head.kind, measure, head.decoded(truth), [found])
    return FitReport(
        *cost, result.model.parameters, result.workers, measure, validation, (*notes, *result.notes),
        result.cut_short, result.untrained,
    )
