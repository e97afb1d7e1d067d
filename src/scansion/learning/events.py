"""What a fit reports while it runs, one value at a time; its result is what the generator returns.

Every event has a ``message`` for people, a ``progress`` from 0 to 1 or None, whether the message is ``lasting`` (it
stays on the screen) and a ``record`` for the metrics file, None if nothing of it is written there.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar


@dataclass(frozen=True)
class Stage:
    """What is being done from now on."""

    message: str

    name: ClassVar[str] = "stage"
    lasting: ClassVar[bool] = False
    progress: ClassVar[None] = None
    record: ClassVar[None] = None


@dataclass(frozen=True)
class Remark:
    """Something the user should know."""

    message: str

    name: ClassVar[str] = "remark"
    lasting: ClassVar[bool] = True
    progress: ClassVar[None] = None
    record: ClassVar[None] = None


@dataclass(frozen=True)
class Step:
    """What one step of the loop did."""

    number: int
    epoch: int
    loss: float
    """The mean loss of a row."""
    tokens: int
    progress: float
    """From 0 to 1; the learning rate follows it, so a run that must end early still ends well."""
    batch: int
    """Batches of the epoch that are done."""
    ends_epoch: bool
    learning_rate: float
    seconds: float
    """Since the run began, without the time in which it was stopped."""

    name: ClassVar[str] = "step"
    lasting: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """``epoch 3, loss 0.412``."""
        return f"epoch {self.epoch + 1}, loss {self.loss:.3f}"

    @property
    def milestone(self) -> bool:
        """Whether it ends an epoch, or its number has at most three digits before its zeros.

        Of any run these are some thousand steps, and always the same ones.
        """
        return self.ends_epoch or self.number % 10 ** max(0, len(str(self.number)) - 3) == 0

    @property
    def record(self) -> dict[str, Any] | None:
        """See :mod:`scansion.storage.metrics`; of milestones only."""
        if not self.milestone:
            return None
        return {
            "event": "step", "step": self.number, "epoch": self.epoch + 1, "progress": self.progress,
            "loss": self.loss, "learning_rate": self.learning_rate, "tokens": self.tokens, "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Epoch:
    """The end of an epoch: its mean training loss, its mean validation error, and whether its weights are kept."""

    number: int
    of: int
    step: int
    """The last one of the epoch."""
    training_loss: float
    held_out_error: float
    kept: bool
    seconds: float

    name: ClassVar[str] = "epoch"
    lasting: ClassVar[bool] = True
    progress: ClassVar[None] = None

    @property
    def message(self) -> str:
        """``epoch 3 of 8: training loss 0.412, held-out error 0.173 (12 s)``."""
        return (f"epoch {self.number} of {self.of}: training loss {self.training_loss:.3f}, held-out error "
                f"{self.held_out_error:.3f} ({self.seconds:.0f} s)")

    @property
    def record(self) -> dict[str, Any]:
        """See :mod:`scansion.storage.metrics`."""
        return {
            "event": "epoch", "step": self.step, "epoch": self.number, "epochs": self.of,
            "training_loss": self.training_loss, "held_out_error": self.held_out_error, "kept": self.kept,
            "seconds": self.seconds,
        }


Event = Stage | Remark | Step | Epoch

EVENTS: dict[str, type[Event]] = {kind.name: kind for kind in (Stage, Remark, Step, Epoch)}


def event_to_line(event: Event) -> str:
    """One line of JSON, for the process that follows."""
    return json.dumps({event.name: asdict(event)})


def event_from_line(line: str) -> Event | None:
    """The inverse of :func:`event_to_line`; None for a line that holds no event."""
    found = json.loads(line)
    return next((EVENTS[name](**values) for name, values in found.items() if name in EVENTS), None)


P = ParamSpec("P")
R = TypeVar("R")


def finished(generator: Callable[P, Generator[Any, None, R]]) -> Callable[P, R]:
    """A function that runs a generator to its end and returns its result; signature and docstring are the same."""

    @wraps(generator)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        events = generator(*args, **kwargs)
        while True:
            try:
                next(events)
            except StopIteration as done:
                return done.value

    return run
