"""Where the processes of one run meet that nobody has given an address: in a file of their job folder.

    store               names the file of this start; the first process holds it locked until all have met
    store.NUMBER        what torch writes there, until then

The others wait until ``store`` is locked: the one that a killed process has left behind is not, for its lock went with
the process.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import distributed

from scansion.errors import StorageError

STORE = "store"
PATIENCE = 300.0  # seconds, as long as torch itself waits for a process
SECONDS_BETWEEN_LOOKS = 0.05


@contextmanager
def rendezvous(folder: Path, rank: int, processes: int) -> Iterator[Any]:
    """The store in which ``processes`` find each other; the first one removes it at the end of the block.

    StorageError if the first one does not come.
    """
    if rank:
        yield _file_store(_named(folder, rank), processes)
        return
    named, left = folder / STORE, _read(folder / STORE)
    mine = folder / f"{STORE}.{time.time_ns()}"
    fresh = mine.with_name(f".{mine.name}")
    with fresh.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(mine.name)
        held.flush()
        os.replace(fresh, named)
        if left is not None:
            left.unlink(missing_ok=True)
        try:
            yield _file_store(mine, processes)
        finally:
            for path in (named, mine):
                path.unlink(missing_ok=True)


def _named(folder: Path, rank: int) -> Path:
    """The file that a living first process has named."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            with (folder / STORE).open() as named:
                fcntl.flock(named, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if (found := _read(folder / STORE)) is not None:
                return found
        except FileNotFoundError:
            pass
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise StorageError(
        f"Worker {rank} has waited {PATIENCE:.0f} s for worker 0 in {folder}. Start it too: RANK=0, the same folder."
    )


def _read(named: Path) -> Path | None:
    """What is named there; None for nothing, and for what an earlier build has left there."""
    try:
        name = named.read_bytes().decode()
    except (FileNotFoundError, ValueError):
        return None
    return named.with_name(name) if name.startswith(f"{STORE}.") and name.rpartition(".")[2].isdigit() else None


def _file_store(path: Path, processes: int) -> Any:
    return distributed.FileStore(str(path), processes)  # type: ignore[attr-defined]
