"""What this process may use of the machine's processors, and how much of their time it has used."""

import os
import time
from collections.abc import Callable
from pathlib import Path

GROUP, QUOTAS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")

WAITING = {"OMP_WAIT_POLICY": "PASSIVE"}
"""The environment of our own processes, read when torch is loaded: a thread that waits for another one sleeps.

By default it spins, which is a little sooner on an idle machine.  On a busy one each spins away what the other waits
for, and training a small network takes ten times as long.
"""


def wait_asleep() -> None:
    """From now on, in this process and in those that it starts, unless the user has said how threads wait."""
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)


def cores() -> int:
    """Processors this process may use: those it may run on, and no more than a container's quota pays for."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(there, int(quota(GROUP, QUOTAS))))


def quota(group: Path, quotas: Path) -> float:
    """Processors' worth of time that Linux grants a control group (version 2) or, if less, one that it is part of.

    ``group`` names it as ``/proc/self/cgroup`` does, ``quotas`` is where groups are mounted.
    """
    try:
        lines = group.read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    place = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    least = float(os.cpu_count() or 1)
    for folder in (quotas / place, *(quotas / place).parents):
        if not folder.is_relative_to(quotas):
            break
        try:
            granted, period = (folder / "cpu.max").read_text().split()
            least = min(least, least if granted == "max" else int(granted) / int(period))
        except (OSError, ValueError):  # the outermost one has no quota
            continue
    return least


def processor_seconds() -> float:
    """What processors have worked for this process and for those of its own that have ended."""
    return sum(os.times()[:4])


def cost_from_now() -> Callable[[], tuple[float, float]]:
    """What gives the seconds since now, and the processor seconds spent in them."""
    begun, spent = time.monotonic(), processor_seconds()
    return lambda: (time.monotonic() - begun, processor_seconds() - spent)
