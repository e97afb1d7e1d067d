"""What a run measures, written into its folder as it goes: ``metrics.jsonl`` and its picture."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scansion.learning.events import Remark
from scansion.storage.metrics import METRICS, PICTURE, Metrics, replace_file
from scansion.viewer.curves import curves

SECONDS_BETWEEN_PICTURES = 2.0


class MetricsLog:
    """The metrics of the run in the folder ``place``, from a step on; ``title`` stands above their picture.

    A disk that does not take it costs the metrics, and no training.
    """

    def __init__(self, place: Path, title: str, step: int, seconds: float) -> None:
        self.place, self.title = place, title
        self.written = step, seconds
        self.fault = ""
        """Why nothing is written any more."""
        self.drawn, self.lines_drawn = time.monotonic(), 0
        self.told = False
        try:
            self.metrics = Metrics(place / METRICS, step)
        except OSError as error:
            self._give_up(error)

    def add(self, record: dict[str, Any]) -> Iterator[Remark]:
        """Write a record; a remark, once, when that fails."""
        if not self.fault:
            try:
                self.metrics.add(self._with_speed(record) if record["event"] == "step" else record)
            except OSError as error:
                self._give_up(error)
            if time.monotonic() - self.drawn >= SECONDS_BETWEEN_PICTURES:
                self.draw()
        if self.fault and not self.told:
            self.told = True
            yield Remark(self.fault)

    def _with_speed(self, record: dict[str, Any]) -> dict[str, Any]:
        steps, seconds = record["step"] - self.written[0], record["seconds"] - self.written[1]
        self.written = record["step"], record["seconds"]
        # not all steps are seen here, but batches hold about the same number of tokens
        return record | {"tokens_per_second": round(record["tokens"] * steps / seconds) if seconds > 0 else None}

    def draw(self) -> None:
        """Bring the picture up to date."""
        if self.fault or len(self.metrics.lines) == self.lines_drawn:
            return
        self.drawn, self.lines_drawn = time.monotonic(), len(self.metrics.lines)
        try:
            replace_file(self.place / PICTURE, curves(self.title, self.metrics.lines).encode())
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.fault = (
            f"Warning: the training goes on, and its curves do not: {self.place} cannot be written "
            f"({error.strerror or error})."
        )
