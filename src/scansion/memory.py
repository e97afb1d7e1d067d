"""How much memory this process may still take, a sentence before what needs more, and one where there was none left."""

import errno
import os
import resource
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from scansion.errors import DataError

Given = TypeVar("Given")
Made = TypeVar("Made")

MIB, GIB = 1 << 20, 1 << 30
AVAILABLE = "MemAvailable:"
NO_MEMORY = "there was not enough memory. Take fewer rows or a smaller family."
NO_THREADS = (
    "no thread or process can be started: their number, or the memory, is limited (ulimit -u, ulimit -v). Raise it, or "
    "end some."
)
OF_MEMORY = (
    "can't allocate memory", "cannot allocate memory", "failed to map segment", "bad_alloc", "out of memory",
    "unable to allocate", "not enough memory", "could not create a primitive", "could not execute a primitive",
)
OF_THREADS = ("can't start new thread", "resource temporarily unavailable", "thread creation failed")
THREAD_BYTES = 64 * MIB  # of addresses, for a thread's stack and what it takes first
WHOLE, GROUP, GROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def free_memory() -> float:
    """Bytes: of the machine, of the container, and of the process's own limit whichever are fewest; infinite where the
    system does not say."""
    found = [float("inf")]
    for line in _lines(WHOLE):
        if line.startswith(AVAILABLE):
            found.append(int(line.split()[1]) * 1024.0)
    place = next((line[3:].strip("/") for line in _lines(GROUP) if line.startswith("0::")), "")
    for folder in (GROUPS / place, GROUPS):
        most, used = (_lines(folder / name) for name in ("memory.max", "memory.current"))
        if most and used and most[0].isdecimal() and used[0].isdecimal():
            found.append(float(most[0]) - float(used[0]))
    return max(0.0, min([*found, _free_addresses()]))


def check_memory(needed: float, what: str, instead: str) -> None:
    """DataError, before anything is begun, for ``what`` surely needs more bytes than are free."""
    if needed > (free := free_memory()):
        raise DataError(
            f"{what} needs about {_told(needed)} of memory, and {_told(free)} are free. {instead}"
        )


def pool_of(threads: int) -> Executor:
    """Of so many threads; of none, so that all is done in turn, where the process's own limit leaves no room for them.

    Python waits for ever for a thread that ends for want of memory while it begins.
    """
    return ThreadPoolExecutor(threads) if _free_addresses() >= threads * THREAD_BYTES else _InTurn()


def ahead(work: Callable[[Given], Made], given: Iterable[Given], threads: int) -> Iterator[Made]:
    """What ``work`` makes of each, in order, so many at a time and never of all that is given.

    A single one is done in this thread: to start others takes longer than to read a hundred short texts.
    """
    rest = iter(given)
    first = list(islice(rest, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    waiting: deque[Future[Made]] = deque()
    with pool_of(threads) as pool:
        for each in chain(first, rest):
            waiting.append(pool.submit(work, each))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


class _InTurn(Executor):
    """Does at once what it is given."""

    def submit(  # type: ignore[override]  # arguments by place alone
        self, work: Callable[..., Any], /, *arguments: Any
    ) -> "Future[Any]":
        """What came of it."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def exhausted(error: BaseException) -> str | None:
    """A sentence for an error that says, in the words of whichever library met it, that there is no more memory, or no
    thread; None for every other."""
    words = str(error).lower()
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError) or number == errno.ENOMEM or any(each in words for each in OF_MEMORY):
        return NO_MEMORY
    if number == errno.EAGAIN or any(each in words for each in OF_THREADS):
        return NO_THREADS
    return None


def _free_addresses() -> float:
    """Bytes that the process's own limit leaves it, which may be below none; infinite without one."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return float("inf")
    pages = _lines(Path("/proc/self/statm"))
    return float(limit) - (int(pages[0].split()[0]) * os.sysconf("SC_PAGE_SIZE") if pages else 0)


def _told(size: float) -> str:
    return f"{size / GIB:,.1f} GiB" if size >= GIB else f"{size / MIB:,.1f} MiB"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:  # not Linux, or no such group
        return []
