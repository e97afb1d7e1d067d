"""Several processes on one run, started and followed from here (gloo).

For small models two processes of one thread are faster than one process of two threads.  The workers are started as
``python -m scansion.learning.worker`` with their inputs on disk, so nothing is forked or imported again: the same
worker runs in a notebook, and ``torchrun`` starts it too.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from threading import Thread

import torch

from scansion.errors import DivergedError, InterruptedRunError, ScansionError, StorageError
from scansion.learning.checkpoints import Checkpoints
from scansion.learning.events import Event, event_from_line
from scansion.learning.job import Job, TrainedWeights
from scansion.learning.jobs import read_trained, write_job
from scansion.learning.loop import train_job
from scansion.learning.process_group import SingleProcess
from scansion.learning.training import Training
from scansion.memory import MIB, check_memory
from scansion.processors import WAITING, cores
from scansion.storage.scratch import scratch_folder

TOKENS_WORTH_A_START = 1_000_000  # below this a run is over before two processes have started
TOKENS_WORTH_AN_EXCHANGE = 2_000  # a batch below this is read sooner than two processes have exchanged its gradients
SECONDS_TO_SAY_WHY = 10.0  # for the first worker, when another one has failed
LEAST_BYTES = 32 * MIB  # oneDNN, which generates code for the first step, crashed with 12 and explained itself with 20
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"

ERRORS = {kind.__name__: kind for kind in (DivergedError, InterruptedRunError, StorageError)}
"""What a worker reports as its parent's own error."""


def run_job(
    job: Job, deadline: float = float("inf"), checkpoints: Checkpoints | None = None
) -> Generator[Event, None, TrainedWeights]:
    """A run in as many processes as were asked for or as are fastest: in this one, or in several of their own.

    DataError where so little memory is left that a library would end the process.
    """
    check_memory(LEAST_BYTES, "Training a network", "Raise the limit (ulimit -v), or end something else.")
    asked = job.description.processes
    processes = processes_for(job.training, int(job.lengths.sum())) if asked is None else asked
    if processes > 1:
        return train_in_workers(job, processes, deadline, checkpoints)
    return train_job(job, SingleProcess(), deadline, checkpoints)


def train_in_workers(
    job: Job, processes: int, deadline: float = float("inf"), checkpoints: Checkpoints | None = None
) -> Generator[Event, None, TrainedWeights]:
    """What :func:`scansion.learning.loop.train_job` does, by ``processes`` workers.

    ScansionError if one of them ends before its time; it names the worker and the signal.
    """
    with scratch_folder("run") as folder:
        write_job(folder, job, deadline - time.monotonic(), checkpoints)
        workers = [_start(str(folder), rank, processes) for rank in range(processes)]
        dead: list[int] = []
        for rank in range(1, processes):
            Thread(target=_end_with, args=(workers, rank, dead), daemon=True).start()
        if checkpoints is not None:
            checkpoints.stop.listeners.append(lambda: workers[0].send_signal(signal.SIGTERM))
        try:
            for event in _events(workers[0]):
                if checkpoints is not None:
                    checkpoints.stop.possible = True  # the worker has started, and heeds signals
                yield event
            codes = _codes(workers)
            if any(codes):
                raise ScansionError(_why(codes, dead, checkpoints))
        finally:
            for worker in reversed(workers):
                worker.kill()
                worker.wait()
                for stream in (worker.stdout, worker.stdin):
                    if stream is not None:
                        stream.close()
        return replace(read_trained(folder), workers=processes)


def processes_for(training: Training, tokens: int) -> int:
    """How many processes read so many tokens soonest: two if the run is long enough and its batches are large."""
    long = tokens * training.epochs(tokens) >= TOKENS_WORTH_A_START
    return 2 if long and training.batch_tokens(tokens) >= TOKENS_WORTH_AN_EXCHANGE and cores() > 1 else 1


def machine() -> dict[str, int]:
    """What of this machine the result of a run depends on."""
    return {"cores": cores(), "threads": torch.get_num_threads()}


def _end_with(workers: "list[subprocess.Popen[str]]", rank: int, dead: list[int]) -> None:
    """End the first worker, whose words are followed, after another one: it would wait for it for minutes."""
    code = workers[rank].wait()
    if code < 0:
        dead.append(rank)
    elif code:
        time.sleep(SECONDS_TO_SAY_WHY)
    if code:
        workers[0].kill()


def _codes(workers: "list[subprocess.Popen[str]]") -> list[int]:
    """How each of them ended; 0 for one that still waits, as it would for minutes, for a first one that has failed."""
    codes = [workers[0].wait()]
    seconds = None if codes[0] == 0 else 0.0 if codes[0] < 0 else SECONDS_TO_SAY_WHY
    for worker in workers[1:]:
        try:
            codes.append(worker.wait(seconds))
        except subprocess.TimeoutExpired:
            codes.append(0)
    return codes


def _why(codes: list[int], dead: list[int], checkpoints: Checkpoints | None) -> str:
    """What became of workers that ended with these codes, the ``dead`` before the first one was ended for them."""
    killed = dead or [rank for rank, code in enumerate(codes) if code < 0]
    if not killed:
        return "A worker process ended with an error; its message stands above."
    rank, number = killed[0], -codes[killed[0]]
    memory = ", as the system does when memory runs out" if number == signal.SIGKILL else ""
    kept = checkpoints is not None and checkpoints.position().step
    more = f" What was kept is in {checkpoints.run.place}: go on with --resume." if checkpoints and kept else ""
    return f"Worker {rank} of {len(codes)} was ended by signal {number} ({signal.Signals(number).name}){memory}.{more}"


def _start(folder: str, rank: int, processes: int) -> subprocess.Popen[str]:
    environment = {
        **WAITING, **os.environ, "RANK": str(rank), "WORLD_SIZE": str(processes), "GLOO_SOCKET_IFNAME": LOOPBACK,
        "OMP_NUM_THREADS": str(max(1, cores() // processes)),
    }
    environment.pop("MASTER_ADDR", None)  # ours find each other through a file of the folder
    command = [sys.executable, "-P", "-m", "scansion.learning.worker", folder, "--temporary"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=environment)


def _events(worker: subprocess.Popen[str]) -> Iterator[Event]:
    for line in worker.stdout or ():
        event = event_from_line(line)
        if event is not None:
            yield event
            continue
        failed = json.loads(line)
        raise ERRORS[failed["failed"]](failed["sentence"])
