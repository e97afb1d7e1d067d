"""A training as it goes, told on standard error: the same for every kind of model."""

from collections.abc import Generator
from typing import Any

from scansion.cli.telling import Telling


def follow(events: Generator[Any, None, Any], telling: Telling) -> Any:
    """Tell every event of an estimator's ``fitting``, to its end; what it returns."""
    while True:
        try:
            _tell(next(events), telling)
        except StopIteration as done:
            return done.value


def _tell(event: Any, telling: Telling) -> None:
    from scansion.learning.counted import Remark
    from scansion.learning.gradient import Step
    from scansion.learning.run import Epoch

    if isinstance(event, Step):
        telling.now(f"epoch {event.epoch + 1}, loss {event.loss:.3f}", event.progress)
    elif isinstance(event, Epoch):
        telling.done(f"epoch {event.number} of {event.of}: training loss {event.training_loss:.3f}, held-out "
                     f"error {event.held_out_error:.3f} ({event.seconds:.0f} s)")
    elif isinstance(event, Remark):
        telling.done(event.text)
    else:
        telling.now(event.doing)
