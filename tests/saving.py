"""A process that saves, resumes or loads checkpoints, for those who watch its system calls; it imports nothing else."""

import os
import sys
from pathlib import Path

import numpy as np

from scansion.storage.folders import open_folder
from scansion.storage.manifest import library_versions
from scansion.storage.run_folder import RunFolder

DESCRIBED = {"family": "lstm"}
BEGUN, ENDED, REFUSED = "begun", "ended", "refused: "


def tensors(step: int) -> dict[str, np.ndarray]:
    return {"now.weights": np.full(5_000, step, np.float32)}


def save(folder: Path, step: int) -> None:
    """The process that strace watches: what it is about to do is marked by writes of its own."""
    with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
        arrays = tensors(step)
        library_versions()  # looked up once a process
        os.write(1, BEGUN.encode())
        run.save(step, {"step": step}, arrays)
        os.write(1, ENDED.encode())


def resume(folder: Path, step: int) -> None:
    """The run is taken up, and what it goes on from is read."""
    os.write(1, BEGUN.encode())
    with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
        newest = run.newest()
        found = newest.json("config.json"), newest.tensors("weights.safetensors")
    os.write(1, ENDED.encode())
    assert found[0]["step"] == step
    assert (found[1]["now.weights"] == step).all()


def load(folder: Path, step: int) -> None:
    """One folder is read, as a model is."""
    (place,) = (each for each in folder.iterdir() if each.name.endswith(f"{step}"))
    os.write(1, BEGUN.encode())
    found = open_folder(place, "scansion-checkpoint").tensors("weights.safetensors")
    os.write(1, ENDED.encode())
    assert (found["now.weights"] == step).all()


ACTIONS = {"save": save, "resume": resume, "load": load}

if __name__ == "__main__":
    try:
        ACTIONS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
    except OSError as error:  # StorageError is one; the command tells of any in a sentence
        sys.exit(f"{REFUSED}{error}")
