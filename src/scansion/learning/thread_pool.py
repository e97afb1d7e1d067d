"""Several replicas of one thread in place of several threads of one: for reading, writing and small models."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

import torch

S = TypeVar("S")
T = TypeVar("T")


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


def map_in_threads(work: Callable[[S], T], parts: Sequence[S]) -> Iterator[T]:
    """``work`` done on every part, in order; by as many replicas of one thread as there are threads to use.

    On small models two of them are faster than one of two threads, whose every product is too small to share.
    """
    replicas = min(torch.get_num_threads(), len(parts))
    if replicas < 2:
        yield from map(work, parts)
        return
    with ONE_THREAD, ThreadPoolExecutor(replicas) as pool:
        yield from pool.map(work, parts)
