"""Signals: the first asks a run to stop after its step and to keep itself, the second ends the process at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from scansion.errors import InterruptedRunError

TERMINATED = 128 + signal.SIGTERM
TERMINATIONS: list[int] = []
"""Every SIGTERM that has interrupted something."""
HEARD = b"\nStopping after this step; once more to stop at once.\n"


class Stoppable(Protocol):
    """What can be asked to stop."""

    asked: bool
    possible: bool

    def ask(self) -> None:
        """Stop after the step under way."""
        ...


def terminate(number: int, frame: FrameType | None) -> Any:
    """The handler of SIGTERM: as Ctrl-C, with another exit code in the end."""
    TERMINATIONS.append(number)
    raise KeyboardInterrupt


@contextmanager
def heeding(stop: Stoppable) -> Iterator[None]:
    """In the block, Ctrl-C and SIGTERM ask ``stop`` first. InterruptedRunError then has the signal's exit code."""
    terminated = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal terminated
        terminated = number == signal.SIGTERM
        if not stop.possible or stop.asked:
            TERMINATIONS.extend([number] * terminated)
            raise KeyboardInterrupt
        stop.ask()
        if not terminated and sys.stderr is not None:
            os.write(sys.stderr.fileno(), HEARD)  # print may be what was interrupted

    before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {
        number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    except InterruptedRunError as error:
        if terminated:
            error.exit_code = TERMINATED
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def how_to_go_on() -> Iterator[None]:
    """Add to the message of a run that was stopped what to do next."""
    try:
        yield
    except InterruptedRunError as error:
        error.args = (f"{error} Go on with the same command and --resume.",)
        raise
