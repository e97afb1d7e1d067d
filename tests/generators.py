"""What a generator of events yields, together with what it returns."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

R = TypeVar("R")


def events_and_result(
    generator: Generator[Any, None, R], seen: Callable[[Any], None] = lambda event: None
) -> tuple[list[Any], R]:
    """Run it to its end; ``seen`` is called with every event before the next one is asked for."""
    events = []
    while True:
        try:
            event = next(generator)
        except StopIteration as done:
            return events, done.value
        events.append(event)
        seen(event)
