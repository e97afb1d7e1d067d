"""Signals: the first asks a run to stop after its step and to keep itself, the second ends the process at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from scansion.errors import InterruptedRunError

ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""A request to end, and the end of the terminal."""
TERMINATIONS: list[int] = []
"""Every one of them that has interrupted something."""
HEARD = b"\nStopping after this step; once more to stop at once.\n"


class Stoppable(Protocol):
    """What can be asked to stop."""

    asked: bool
    possible: bool

    def ask(self) -> None:
        """Stop after the step under way."""
        ...


def end_on_signals() -> None:
    """From now on a request to end is an interruption, as Ctrl-C, with another exit code; ``nohup`` is respected."""
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, terminate)


def exit_code_of(number: int) -> int:
    """What a shell calls the end by a signal."""
    return 128 + number


def terminate(number: int, frame: FrameType | None) -> Any:
    """The handler."""
    TERMINATIONS.append(number)
    raise KeyboardInterrupt


@contextmanager
def heeding(stop: Stoppable) -> Iterator[None]:
    """In the block, Ctrl-C, SIGTERM and SIGHUP ask ``stop`` first. InterruptedRunError then has the exit code."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if not stop.possible or stop.asked:
            TERMINATIONS.extend([number] * (number in ENDINGS))
            raise KeyboardInterrupt
        stop.ask()
        if number not in ENDINGS and sys.stderr is not None:
            os.write(sys.stderr.fileno(), HEARD)  # print may be what was interrupted

    before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {
        number: signal.signal(number, hear) for number in (signal.SIGINT, *ENDINGS)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    except InterruptedRunError as error:
        if heard and heard[-1] in ENDINGS:
            error.exit_code = exit_code_of(heard[-1])
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
