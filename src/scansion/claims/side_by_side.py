"""Several experiments at once, each in a process of its own with one thread.

Of networks as small as these no product is worth sharing between threads, but two experiments take half the time.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Sequence
from queue import Empty
from typing import Any

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Finding
from scansion.errors import ScansionError
from scansion.learning.thread_pool import ONE_THREAD

Told = tuple[str, str, Finding | None]
"""A claim's name, what its experiment is doing, and at the end, when it does nothing more, what it found."""

SECONDS_BETWEEN_LOOKS = 1.0  # whether all processes are alive, where none has said anything


def side_by_side(
    claims: Sequence[Claim], budget: Budget, seed: int, processes: int
) -> Generator[Told, None, None]:
    """What experiments do and find, as it comes, until every claim is measured.

    The processes end with the generator. ScansionError if one of them ends before its time; if it was an error, its
    traceback has been printed.
    """
    context = multiprocessing.get_context("spawn")  # a process whose libraries have threads is not safely forked
    waiting, told = context.Queue(), context.Queue()
    for each in (*claims, *[None] * processes):
        waiting.put(each)
    workers = [
        context.Process(target=_measure, args=(waiting, told, budget, seed), daemon=True) for _ in range(processes)
    ]
    try:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # theirs, too: Ctrl-C is for this process
        for worker in workers:
            worker.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        missing = len(claims)
        while missing:
            try:
                name, doing, finding = told.get(timeout=SECONDS_BETWEEN_LOOKS)
            except Empty:
                _check(workers)
                continue
            missing -= finding is not None
            yield name, doing, finding
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def one_by_one(claims: Iterable[Claim], budget: Budget, seed: int) -> Generator[Told, None, None]:
    """The same in this process, one after the other."""
    with ONE_THREAD:
        for claim in claims:
            steps = claim.running(budget, seed)
            while True:
                try:
                    yield claim.name, next(steps), None
                except StopIteration as done:
                    yield claim.name, "", done.value
                    break


def _measure(waiting: Any, told: Any, budget: Budget, seed: int) -> None:
    """A process: measure what waits until None comes or the parent is gone."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    for each in one_by_one(iter(waiting.get, None), budget, seed):
        told.put(each)


def _end_with_the_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
    os._exit(1)


def _check(workers: Sequence[Any]) -> None:
    """ScansionError if one has ended otherwise than with nothing left to do."""
    for worker in workers:
        if worker.exitcode:
            raise ScansionError(
                f"A process that measured claims ended before its time (exit code {worker.exitcode}; negative is the "
                "number of a signal, -9 what the system sends when memory runs out). Run the claims one by one."
            )
