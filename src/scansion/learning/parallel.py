"""Several processes on one run: each reads its share of every batch, gradients are summed (gloo).

For small models two processes of one thread are faster than one process of two threads.  The workers are started as
``python -m scansion.learning.worker`` with their inputs on disk, so nothing is forked or imported again, and the same
worker runs in a notebook, under ``torchrun`` and on several machines.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as distributed
from safetensors.numpy import load_file
from torch import Tensor, nn

from scansion.errors import DivergedError, InterruptedRunError, ScansionError, StorageError
from scansion.learning.checkpoints import Checkpoints, Stop
from scansion.learning.gradient import Alone, Step, Training
from scansion.learning.optimiser import NUMBERS, Optimiser, rows_of
from scansion.learning.pretraining import PretrainingJob
from scansion.learning.readers import ReaderJob
from scansion.learning.run import Epoch, Job, Learned, learn_by_steps
from scansion.learning.writers import WriterJob
from scansion.spill import no_room
from scansion.storage.runs import Run

TOKENS_WORTH_A_START = 1_000_000  # below this a run is over before two processes have started
TOKENS_WORTH_A_TALK = 2_000  # a batch below this is read sooner than two processes have exchanged its gradients


LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


class Together:
    """One of several processes, inside a ``torch.distributed`` group."""

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    def share(self, optimiser: Optimiser, loss: float, progress: float) -> tuple[float, float]:
        """Sum the gradients of all processes; the summed loss, and the first process's progress for all."""
        numbers = optimiser.flat[-NUMBERS:]
        numbers[0], numbers[1] = loss, progress if self.rank == 0 else 0.0
        distributed.all_reduce(optimiser.flat)
        for table in optimiser.tables:
            table.weights.grad = self.sum_rows(table.weights)
        return float(numbers[0]), float(numbers[1])

    def sum_rows(self, table: nn.Parameter) -> Tensor:
        """The sum of a word table's sparse gradients (V, D): a batch touches few words, so only their rows travel."""
        touched, values = rows_of(table)
        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        distributed.all_gather(counts, torch.tensor([len(touched)]))
        most = max(1, int(max(counts)))
        words, rows = torch.zeros(most, dtype=torch.int64), torch.zeros(most, table.shape[1])
        words[: len(touched)], rows[: len(touched)] = touched, values
        all_words = [torch.empty_like(words) for _ in range(self.size)]
        all_rows = [torch.empty_like(rows) for _ in range(self.size)]
        distributed.all_gather(all_words, words)
        distributed.all_gather(all_rows, rows)
        # in the order of ranks, so that every process gets the same sum to the last bit
        words = torch.cat([theirs[: int(count)] for theirs, count in zip(all_words, counts, strict=True)])
        rows = torch.cat([theirs[: int(count)] for theirs, count in zip(all_rows, counts, strict=True)])
        return torch.sparse_coo_tensor(words[None], rows, table.shape, check_invariants=False)


def learn_together(
    job: Job, processes: int, deadline: float, checkpoints: Checkpoints | None = None
) -> Iterator[Step | Epoch | Learned]:
    """What :func:`scansion.learning.run.learn_by_steps` yields, from ``processes`` workers."""
    with tempfile.TemporaryDirectory(prefix="scansion-run-") as folder:
        write_run(Path(folder), job, deadline - time.monotonic(), checkpoints)
        workers = [_start(folder, rank, processes) for rank in range(processes)]
        if checkpoints is not None:
            checkpoints.stop.told.append(lambda: workers[0].send_signal(signal.SIGTERM))
        try:
            for event in _follow(workers[0]):
                if checkpoints is not None:
                    checkpoints.stop.possible = True  # the worker is there, and hears
                yield event
            if any(worker.wait() for worker in workers):
                raise ScansionError("A worker process ended with an error; its message stands above.")
        finally:
            for worker in reversed(workers):
                worker.kill()
                worker.wait()
                worker.stdout.close()
                worker.stdin.close()
        yield _result(Path(folder))


def learn_with(
    processes: int, job: Job, deadline: float, checkpoints: Checkpoints | None
) -> Iterator[Step | Epoch | Learned]:
    """A run in this process, or in several of their own."""
    if processes > 1:
        return learn_together(job, processes, deadline, checkpoints)
    return learn_by_steps(job, Alone(), deadline, checkpoints)


def processes_for(training: Training, tokens: int) -> int:
    """How many processes read so many tokens soonest: two if the run is long enough and its batches are large."""
    long = tokens * training.epochs(tokens) >= TOKENS_WORTH_A_START
    return 2 if long and training.batch(tokens) >= TOKENS_WORTH_A_TALK and cores() > 1 else 1


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(folder: str, rank: int, processes: int) -> subprocess.Popen:
    threads = max(1, cores() // processes)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "GLOO_SOCKET_IFNAME": LOOPBACK}
    command = [sys.executable, "-P", "-m", "scansion.learning.worker", folder, str(rank), str(processes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=environment)


def _follow(worker: subprocess.Popen) -> Iterator[Step | Epoch]:
    for line in worker.stdout:
        event = json.loads(line)
        if "failed" in event:
            raise ERRORS[event["failed"]](event["sentence"])
        yield Epoch(**event["epoch"]) if "epoch" in event else Step(**event["step"])


JOBS: dict[str, type[Job]] = {"reader": ReaderJob, "writer": WriterJob, "pretraining": PretrainingJob}
ERRORS = {kind.__name__: kind for kind in (DivergedError, InterruptedRunError, StorageError)}


def write_run(folder: Path, job: Job, seconds: float, checkpoints: Checkpoints | None) -> None:
    """A job, and how long and where its run is kept.  StorageError if there is no room for it."""
    try:
        job.write(folder)
    except OSError as error:
        raise StorageError(f"The run's inputs cannot be kept for its workers. {no_room(error)}") from error
    run = {
        "job": next(name for name, kind in JOBS.items() if kind is type(job)),
        "seconds": seconds if np.isfinite(seconds) else None,
        "kept": None if checkpoints is None else [str(checkpoints.run.place), checkpoints.seconds],
    }
    (folder / "run.json").write_text(json.dumps(run))


def read_run(folder: Path) -> tuple[Job, float, Checkpoints | None]:
    """The inverse of :func:`write_run`; the deadline is on this process's clock."""
    run = json.loads((folder / "run.json").read_text())
    deadline = float("inf") if run["seconds"] is None else time.monotonic() + run["seconds"]
    kept = run["kept"]
    checkpoints = None if kept is None else Checkpoints(Run(Path(kept[0])), kept[1], Stop())
    return JOBS[run["job"]].read(folder), deadline, checkpoints


def _result(folder: Path) -> Learned:
    outcome = json.loads((folder / "learned.json").read_text())
    return Learned(load_file(folder / "weights.safetensors"), **outcome)


def event_of(event: Step | Epoch) -> str:
    """A line for the process that follows."""
    return json.dumps({"epoch" if isinstance(event, Epoch) else "step": asdict(event)})
