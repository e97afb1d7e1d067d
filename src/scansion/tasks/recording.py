"""What a run measures, written into its folder as it goes: ``metrics.jsonl`` and its picture."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scansion.learning.counted import Remark
from scansion.learning.gradient import Position, Step
from scansion.learning.run import Epoch, Learned
from scansion.storage.metrics import METRICS, PICTURE, Metrics, replace_file
from scansion.viewer.curves import curves

SECONDS_BETWEEN_PICTURES = 2.0

Event = Step | Epoch | Learned


class Recording:
    """The record of the run in the folder ``place``, from where it stands on; ``title`` stands above its picture.

    A disk that does not take it costs the record, and no training.
    """

    def __init__(self, place: Path, title: str, at: Position) -> None:
        self.place, self.title = place, title
        self.step, self.written = at.step, (at.step, at.seconds)
        self.fault = ""
        """Why nothing is written any more."""
        self.drawn, self.lines_drawn = time.monotonic(), 0
        try:
            self.metrics = Metrics(place / METRICS, at.step)
        except OSError as error:
            self._give_up(error)

    def following(self, events: Iterator[Event]) -> Iterator[Event | Remark]:
        """The same events, each written down first; a Remark when that is over before its time."""
        told = False
        try:
            for event in events:
                self._note(event)
                if self.fault and not told:
                    told = True
                    yield Remark(self.fault)
                yield event
        finally:
            self._draw()

    def _note(self, event: Event) -> None:
        if isinstance(event, Step):
            self.step = event.number
        line = None if self.fault else self._line(event)
        if line is not None:
            try:
                self.metrics.add(line)
            except OSError as error:
                self._give_up(error)
        if time.monotonic() - self.drawn >= SECONDS_BETWEEN_PICTURES:
            self._draw()

    def _line(self, event: Event) -> dict[str, Any] | None:
        """What is written of an event, if anything is."""
        if isinstance(event, Step):
            return self._step(event) if event.milestone else None
        if isinstance(event, Epoch):
            return {
                "event": "epoch", "step": self.step, "epoch": event.number, "epochs": event.of,
                "training_loss": event.training_loss, "held_out_error": event.held_out_error, "kept": event.kept,
                "seconds": event.seconds,
            }
        return {
            "event": "end", "step": event.steps, "epoch": event.epoch, "epochs": event.epochs, "tokens": event.tokens,
            "ended": event.ended,
        }

    def _step(self, step: Step) -> dict[str, Any]:
        steps, seconds = step.number - self.written[0], step.seconds - self.written[1]
        self.written = step.number, step.seconds
        # not all steps are seen here, but batches hold about the same number of tokens
        speed = round(step.tokens * steps / seconds) if seconds > 0 else None
        return {
            "event": "step", "step": step.number, "epoch": step.epoch + 1, "progress": step.progress,
            "loss": step.loss, "learning_rate": step.learning_rate, "tokens": step.tokens,
            "tokens_per_second": speed, "seconds": step.seconds,
        }

    def _draw(self) -> None:
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
