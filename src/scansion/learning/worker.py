"""One process of a shared run: ``python -m scansion.learning.worker FOLDER``, or ``torchrun -m`` with the same.

``RANK`` and ``WORLD_SIZE`` come from the environment.  The processes meet at ``MASTER_ADDR`` and ``MASTER_PORT``, as
``torchrun`` sets them, or else in a file of the job folder.  The first one prints what happens, a JSON object a line,
keeps the checkpoints and leaves the weights in the folder.

With ``--temporary``, which the process that made the folder adds, standard input is a line to that process: when it
closes, that process has died, and the worker removes the folder and ends.  Without it, a worker removes nothing.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.distributed as distributed

from scansion.errors import ScansionError
from scansion.learning.checkpoints import Checkpoints
from scansion.learning.events import Event, event_to_line
from scansion.learning.jobs import JOB, read_job, write_trained
from scansion.learning.loop import train_job
from scansion.learning.process_group import DistributedGroup, WorkerLostError
from scansion.learning.rendezvous import rendezvous
from scansion.learning.workers import ERRORS
from scansion.processors import cores

SECONDS_BETWEEN_EVENTS = 0.2
SECONDS_TO_BE_ENDED = 10
ENDING = threading.Lock()
"""Held by the thread that ends the process, so that no other one ends it before the folder is removed."""


def work(folder: Path, rank: int, processes: int, temporary: bool = False) -> None:
    """Take part in the run whose job lies in ``folder``."""
    threads = int(os.environ.get("OMP_NUM_THREADS") or max(1, cores() // processes))
    torch.set_num_threads(threads)
    job, deadline, checkpoints = read_job(folder)
    if temporary:  # the parent's clock has run since it wrote the job
        deadline -= time.time() - (folder / JOB).stat().st_mtime
    if checkpoints is not None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if rank else lambda number, frame: checkpoints.stop.ask())
    given = "MASTER_ADDR" in os.environ
    with nullcontext() if given else rendezvous(folder, rank, processes) as store:
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=processes)
        distributed.barrier()  # each has read what it needs: torch would write a removed file anew
    events = train_job(job, DistributedGroup(), deadline, _of_rank(checkpoints, rank))
    told = 0.0
    while True:
        try:
            event = next(events)
        except StopIteration as done:
            trained = done.value
            break
        if rank == 0 and _worth_telling(event, told):
            told = time.monotonic()
            print(event_to_line(event), flush=True)
    if rank == 0:
        write_trained(folder, trained)
    distributed.destroy_process_group()  # not after an error: the others would complain before it is told


def _worth_telling(event: Event, told: float) -> bool:
    """Steps come often; a few of them a second are enough."""
    return event.record is not None or event.lasting or time.monotonic() - told > SECONDS_BETWEEN_EVENTS


def _of_rank(checkpoints: Checkpoints | None, rank: int) -> Checkpoints | None:
    """All processes go on from the same checkpoint; the first alone keeps new ones and writes metrics."""
    if checkpoints is not None and rank:
        checkpoints.seconds, checkpoints.title = float("inf"), None
    return checkpoints


def end_with_the_parent(folder: Path) -> None:
    """Wait until standard input closes; then away with the parent's folder and this process."""
    os.read(sys.stdin.fileno(), 1)  # unbuffered: a buffer is locked while the interpreter ends
    leave(folder)


def leave(folder: Path) -> None:
    """The parent is gone: remove its folder, as it would have done, and end without a word."""
    with ENDING:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def main(arguments: list[str]) -> int:
    """The worker as a program; its exit code, and for what went wrong a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m scansion.learning.worker", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a job folder")
    parser.add_argument("--temporary", action="store_true", help="end, and remove FOLDER, when standard input closes")
    given = parser.parse_args(arguments)
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if given.temporary:
        for number in (signal.SIGINT, signal.SIGHUP):  # they are for the process that started this one
            signal.signal(number, signal.SIG_IGN)
        threading.Thread(target=end_with_the_parent, args=(given.folder,), daemon=True).start()
    try:
        work(given.folder, rank, processes, given.temporary)
    except BrokenPipeError:  # nobody follows any more
        if given.temporary:
            leave(given.folder)
        raise
    except WorkerLostError as error:
        if not given.temporary:  # else the process that started this one says which worker it was, and why
            print(f"scansion worker {rank} of {processes}: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except ScansionError as error:
        known = next((name for name, kind in ERRORS.items() if isinstance(error, kind)), None)
        if given.temporary and known is not None:
            if rank == 0:
                print(json.dumps({"failed": known, "sentence": str(error)}), flush=True)
                time.sleep(SECONDS_TO_BE_ENDED)  # the others first, or they complain that this one has gone
        else:
            print(f"scansion worker {rank} of {processes}: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    with ENDING:
        os._exit(code)  # all is written; while an interpreter ends, a thread of torch's own may still abort the process
