"""How many of torch's threads do a piece of work, and several replicas of one thread in place of several of one.

The number follows from the work and from the processors that there are, never from what else they have to do at the
moment: sums are rounded as they are shared out, and a fit would else not be repeatable.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import TypeVar

import torch

from scansion.layers.at_once import threads_to_spare
from scansion.memory import pool_of
from scansion.processors import cores

S = TypeVar("S")
T = TypeVar("T")

PRODUCTS_A_THREAD = 100_000_000  # multiplications; of fewer, starting a thread and waiting for it takes the gain


class _OneThread:
    """In the block torch has one thread; blocks may overlap, and the last to end gives back what the first found."""

    def __init__(self) -> None:
        self.lock, self.inside, self.before = Lock(), 0, 1

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = torch.get_num_threads()
                torch.set_num_threads(1)
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                torch.set_num_threads(self.before)


ONE_THREAD = _OneThread()


def threads_for(weights: int, tokens: int) -> int:
    """The threads worth their start where each of so many tokens is multiplied with so many weights."""
    return max(1, min(torch.get_num_threads(), cores(), weights * tokens // PRODUCTS_A_THREAD))


@contextmanager
def on_threads(threads: int | None) -> Iterator[None]:
    """In the block torch has so many threads, None for as many as it has; after it as many as before.

    Those that are left go to what can be done at once.
    """
    before = torch.get_num_threads()
    threads = before if threads is None else threads
    torch.set_num_threads(threads)
    try:
        with threads_to_spare(min(before, cores()) // threads):
            yield
    finally:
        torch.set_num_threads(before)


def map_in_threads(work: Callable[[S], T], parts: Sequence[S], threads: int | None = None) -> Iterator[T]:
    """``work`` done on every part, in order; by as many replicas of one thread as there are threads to use.

    On small models two of them are faster than one of two threads, whose every product is too small to share.  A
    single part is done on all threads, or on one if no more than that are worth their start (``threads``).
    """
    replicas = min(torch.get_num_threads(), len(parts))
    if replicas < 2:
        with ONE_THREAD if threads == 1 else nullcontext():
            yield from map(work, parts)
        return
    with ONE_THREAD, pool_of(replicas) as pool:
        yield from pool.map(work, parts)
