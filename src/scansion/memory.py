"""How much memory this process may still take, and a sentence before what needs more."""

import os
import resource
from pathlib import Path

from scansion.errors import DataError

GIB = 1 << 30
AVAILABLE = "MemAvailable:"
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
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        pages = _lines(Path("/proc/self/statm"))
        found.append(float(limit) - (int(pages[0].split()[0]) * os.sysconf("SC_PAGE_SIZE") if pages else 0))
    return max(0.0, min(found))


def check_memory(needed: float, what: str, instead: str) -> None:
    """DataError, before anything is begun, for ``what`` surely needs more bytes than are free."""
    if needed > (free := free_memory()):
        raise DataError(f"{what} needs about {needed / GIB:,.0f} GiB of memory, and {free / GIB:,.1f} are free. {instead}")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:  # not Linux, or no such group
        return []
