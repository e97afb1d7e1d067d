"""What is said on standard error while a verb works: a live line on a terminal, else a plain one now and then."""

import errno
import os
import shutil
import sys
import time
from types import TracebackType
from typing import Protocol, Self

from scansion.viewer.plain_text import printable

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_REDRAWS = 0.1
BAR_CELLS = 20


def say(sentence: str) -> None:
    """One sentence on standard error."""
    _print(f"{printable(sentence)}\n")


def tell(text: str) -> None:
    """A line on standard output that quotes texts of users and models."""
    print(printable(text))


def pass_on(text: str, end: str = "\n") -> None:
    """What a model writes, on standard output: as it is, save on a terminal that it could command."""
    to_terminal = sys.stdout is not None and sys.stdout.isatty()
    print(printable(text) if to_terminal else text, end=end, flush=not end)


def _print(text: str) -> None:
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError as error:
        if error.errno != errno.EIO:  # the terminal is gone, and the work is worth more than its progress
            raise


class ProgressEvent(Protocol):
    """An event of a fit or a comparison: a sentence, how far it is (0 to 1), and whether it stays on the screen."""

    @property
    def message(self) -> str: ...

    @property
    def progress(self) -> float | None: ...

    @property
    def lasting(self) -> bool: ...


class Progress:
    """``with Progress() as progress: progress.now("rnn, seed 1", 0.4)``."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.every = SECONDS_BETWEEN_REDRAWS if self.live else SECONDS_BETWEEN_LINES
        self.begun = time.monotonic()
        self.told = float("-inf") if self.live else self.begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.clear()

    def show(self, event: ProgressEvent) -> None:
        """An event, as it is to be told."""
        if event.lasting:
            self.done(event.message)
        else:
            self.now(event.message, event.progress)

    def now(self, doing: str, progress: float | None = None) -> None:
        """What is being done, and how far it is (0 to 1)."""
        now = time.monotonic()
        if now - self.told < self.every:
            return
        self.told = now
        if self.live:
            _print(f"\r\x1b[K{self._line(doing, progress)}")
        else:
            share = "" if progress is None else f", {progress:.0%}"
            say(f"{now - self.begun:.0f} s: {doing}{share}")

    def done(self, sentence: str) -> None:
        """Something that is finished and stays on the screen."""
        self.clear()
        say(sentence)

    def clear(self) -> None:
        """Take the live line away."""
        if self.live:
            _print("\r\x1b[K")

    def _line(self, doing: str, progress: float | None) -> str:
        doing, width = printable(doing), shutil.get_terminal_size().columns - 1
        if progress is None:
            return doing[:width]
        full = round(progress * BAR_CELLS)
        return f"{'━' * full}{'╌' * (BAR_CELLS - full)} {progress:4.0%}  {doing}"[:width]
