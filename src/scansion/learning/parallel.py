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
from scansion.families.catalogue import FAMILIES, name_of
from scansion.heads.catalogue import HEADS
from scansion.learning.checkpoints import Checkpoints, Stop
from scansion.learning.gradient import Step, Training
from scansion.learning.optimiser import others_of, rows_of, tables_of
from scansion.learning.reader import Examples
from scansion.learning.readers import Epoch, Learned, ReaderJob
from scansion.spill import read_flat, write_flat
from scansion.storage.runs import Run
from scansion.storage.schema import from_json, to_json
from scansion.text.batches import Sequences
from scansion.text.vocabulary import Spelling

TOKENS_WORTH_A_START = 1_000_000  # below this a run is over before two processes have started
TOKENS_WORTH_A_TALK = 2_000  # a batch below this is read sooner than two processes have exchanged its gradients


class Together:
    """One of several processes, inside a ``torch.distributed`` group."""

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    def share(self, model: nn.Module, loss: float, progress: float) -> tuple[float, float]:
        """Sum the gradients of all processes; the summed loss, and the first process's progress for all."""
        dense = [parameter.grad for parameter in others_of(model)]
        numbers = torch.tensor([loss, progress if self.rank == 0 else 0.0])
        flat = torch.cat([numbers, *(gradient.flatten() for gradient in dense)])
        distributed.all_reduce(flat)
        pieces = flat[2:].split([gradient.numel() for gradient in dense])
        for gradient, piece in zip(dense, pieces, strict=True):
            gradient.copy_(piece.view_as(gradient))
        for table in tables_of(model):
            table.grad = self.sum_rows(table)
        return float(flat[0]), float(flat[1])

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
    job: ReaderJob,
    spelling: Spelling,
    examples: Examples,
    held_out: Examples,
    processes: int,
    deadline: float,
    checkpoints: Checkpoints | None = None,
) -> Iterator[Step | Epoch | Learned]:
    """What :func:`scansion.learning.readers.learn_reader` yields, from ``processes`` workers."""
    with tempfile.TemporaryDirectory(prefix="scansion-run-") as folder:
        write_job(Path(folder), job, spelling, examples, held_out, deadline - time.monotonic(), checkpoints)
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


def processes_for(training: Training, tokens: int) -> int:
    """How many processes read so many tokens soonest: two if the run is long enough and its batches are large."""
    long = tokens * training.epochs(tokens) >= TOKENS_WORTH_A_START
    return 2 if long and training.batch(tokens) >= TOKENS_WORTH_A_TALK and cores() > 1 else 1


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(folder: str, rank: int, processes: int) -> subprocess.Popen:
    threads = max(1, cores() // processes)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "scansion.learning.worker", folder, str(rank), str(processes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=environment)


def _follow(worker: subprocess.Popen) -> Iterator[Step | Epoch]:
    for line in worker.stdout:
        event = json.loads(line)
        if "failed" in event:
            raise ERRORS[event["failed"]](event["sentence"])
        yield Epoch(**event["epoch"]) if "epoch" in event else Step(**event["step"])


def write_job(
    folder: Path,
    job: ReaderJob,
    spelling: Spelling,
    examples: Examples,
    held_out: Examples,
    seconds: float,
    checkpoints: Checkpoints | None,
) -> None:
    """A run's inputs: token ids that workers read as they need them, arrays, and a JSON configuration."""
    for name, part in (("examples", examples), ("held_out", held_out)):
        if part is held_out and held_out.sequences.ids is examples.sequences.ids:
            (folder / "held_out.ids").hardlink_to(folder / "examples.ids")
        else:
            write_flat(folder / f"{name}.ids", part.sequences.ids)
        arrays = (part.sequences.starts, part.sequences.lengths, part.targets, part.weights)
        for array, kind in zip(arrays, ARRAYS, strict=True):
            np.save(folder / f"{name}.{kind}.npy", array)
    for kind in SPELLING:
        np.save(folder / f"spelling.{kind}.npy", getattr(spelling, kind))
    configuration = {
        "family": name_of(job.family), "options": to_json(job.family),
        "kind": job.head.kind, "head": to_json(job.head),
        "words": job.words, "pieces": job.pieces, "training": to_json(job.training), "seed": job.seed,
        "first": [examples.sequences.first, held_out.sequences.first],
        "seconds": seconds if np.isfinite(seconds) else None,
        "run": None if checkpoints is None else [str(checkpoints.run.place), checkpoints.seconds],
    }
    (folder / "job.json").write_text(json.dumps(configuration))


ERRORS = {kind.__name__: kind for kind in (DivergedError, InterruptedRunError, StorageError)}
ARRAYS = ("starts", "lengths", "targets", "weights")
SPELLING = ("words", "pieces", "borders")


def read_job(folder: Path) -> tuple[ReaderJob, Spelling, Examples, Examples, float, Checkpoints | None]:
    """The inverse of :func:`write_job`; the deadline is on this process's clock."""
    configuration = json.loads((folder / "job.json").read_text())
    job = ReaderJob(
        from_json(FAMILIES[configuration["family"]], configuration["options"], "job.json"),
        from_json(HEADS[configuration["kind"]], configuration["head"], "job.json"),
        configuration["words"],
        configuration["pieces"],
        from_json(Training, configuration["training"], "job.json"),
        configuration["seed"],
    )
    parts = []
    for name, first in zip(("examples", "held_out"), configuration["first"], strict=True):
        ids = read_flat(folder / f"{name}.ids", np.int32)
        starts, lengths, targets, weights = (np.load(folder / f"{name}.{kind}.npy") for kind in ARRAYS)
        parts.append(Examples(Sequences(ids, starts, lengths, first), targets, weights))
    spelling = Spelling(*(np.load(folder / f"spelling.{kind}.npy") for kind in SPELLING))
    seconds = configuration["seconds"]
    deadline = float("inf") if seconds is None else time.monotonic() + seconds
    run = configuration["run"]
    checkpoints = None if run is None else Checkpoints(Run(Path(run[0])), run[1], Stop())
    return job, spelling, parts[0], parts[1], deadline, checkpoints


def _result(folder: Path) -> Learned:
    outcome = json.loads((folder / "learned.json").read_text())
    return Learned(load_file(folder / "weights.safetensors"), **outcome)


def event_of(event: Step | Epoch) -> str:
    """A line for the process that follows."""
    return json.dumps({"epoch" if isinstance(event, Epoch) else "step": asdict(event)})
