"""Memory that does not grow with every new shape of a batch.

oneDNN, by which torch multiplies, compiles its kernels for the shape that it meets, and keeps the last 1,024 of them;
torch keeps as many itself.  They take half a megabyte each, and lie between the vectors of one batch and the next, so
that glibc can give back little of what those leave free, and can use little of it for the next shape.  Fewer are kept
here, and what is free is given back.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
"""The environment variables that oneDNN and torch read before their first kernel."""
KEPT_KERNELS = 256
"""MiniLM's take about 80 MB; with 64, texts that are read one by one took a tenth longer."""
SECONDS_BETWEEN = 5.0


def keep_few_kernels() -> None:
    """Before torch is used first; what the environment says already stands."""
    for name in CACHES:
        os.environ.setdefault(name, str(KEPT_KERNELS))


def _trim() -> Callable[[int], Any] | None:
    """glibc's; None with another library."""
    with suppress(AttributeError, OSError, TypeError):
        found: Callable[[int], Any] = ctypes.CDLL(None).malloc_trim
        return found
    return None


TRIM = _trim()


def give_back() -> None:
    """What is free goes back to the system; without glibc nothing is done.  Other threads go on meanwhile."""
    if TRIM is not None:
        TRIM(0)


async def giving_back() -> None:
    """Every few seconds, in another thread, until it is cancelled."""
    while True:
        await asyncio.sleep(SECONDS_BETWEEN)
        await asyncio.to_thread(give_back)
