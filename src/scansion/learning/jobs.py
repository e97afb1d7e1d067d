"""Every kind of training job by the name under which a job folder holds it, and the folder itself.

    job.json               which kind it is, how long it may take, and where its run is kept
    everything else        the job's own: token ids that are read as they are needed, arrays, a JSON description
    store, store.NUMBER    where workers find each other without a master's address, while they train
    weights.safetensors    what came of it, written by the first worker together with trained.json
"""

import json
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from scansion.errors import StorageError
from scansion.learning.checkpoints import Checkpoints, StopRequest
from scansion.learning.document_job import DocumentJob
from scansion.learning.job import Job, TrainedWeights
from scansion.learning.language_job import LanguageJob
from scansion.learning.pretraining import PretrainingJob
from scansion.learning.seq2seq_job import Seq2SeqJob
from scansion.spill import no_room
from scansion.storage.run_folder import RunFolder

JOBS: dict[str, type[Job]] = {
    "documents": DocumentJob, "seq2seq": Seq2SeqJob, "language": LanguageJob, "pretraining": PretrainingJob,
}
JOB, TRAINED, WEIGHTS = "job.json", "trained.json", "weights.safetensors"


def write_job(folder: Path, job: Job, seconds: float = float("inf"), checkpoints: Checkpoints | None = None) -> None:
    """A job for workers, and how long and where its run is kept.  StorageError if there is no room for it."""
    try:
        job.write(folder)
    except OSError as error:
        raise StorageError(f"The run's inputs cannot be kept for its workers. {no_room(error)}") from error
    kept = None if checkpoints is None else [str(checkpoints.run.place), checkpoints.seconds, checkpoints.title]
    (folder / JOB).write_text(json.dumps({
        "job": next(name for name, kind in JOBS.items() if kind is type(job)),
        "seconds": seconds if np.isfinite(seconds) else None, "kept": kept,
    }))


def read_job(folder: Path) -> tuple[Job, float, Checkpoints | None]:
    """The inverse of :func:`write_job`; the deadline is on this process's clock. StorageError if no job is there."""
    try:
        stored = json.loads((folder / JOB).read_text())
    except OSError as error:
        raise StorageError(f"{folder} holds no {JOB}, so it is no job folder. Give one that was written for workers.") \
            from error
    deadline = float("inf") if stored["seconds"] is None else time.monotonic() + stored["seconds"]
    checkpoints = None
    if stored["kept"] is not None:
        place, seconds, title = stored["kept"]
        checkpoints = Checkpoints(RunFolder(Path(place)), seconds, StopRequest(), title)
    return JOBS[stored["job"]].read(folder), deadline, checkpoints


def write_trained(folder: Path, trained: TrainedWeights) -> None:
    """What came of a job."""
    save_file(trained.weights, folder / WEIGHTS)
    outcome = {name: value for name, value in vars(trained).items() if name != "weights"}
    (folder / TRAINED).write_text(json.dumps(outcome))


def read_trained(folder: Path) -> TrainedWeights:
    """The inverse of :func:`write_trained`."""
    return TrainedWeights(load_file(folder / WEIGHTS), **json.loads((folder / TRAINED).read_text()))
