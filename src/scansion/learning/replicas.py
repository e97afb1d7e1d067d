"""Several replicas of one thread in place of several threads of one: for reading, writing and small models."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

S, T = TypeVar("S"), TypeVar("T")


def side_by_side(work: Callable[[S], T], parts: Sequence[S]) -> Iterator[T]:
    """``work`` done on every part, in order; by as many replicas of one thread as there are threads to use.

    On small models two of them are faster than one of two threads, whose every product is too small to share.
    """
    threads = torch.get_num_threads()
    replicas = min(threads, len(parts))
    if replicas < 2:
        yield from map(work, parts)
        return
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(replicas) as pool:
            yield from pool.map(work, parts)
    finally:
        torch.set_num_threads(threads)
