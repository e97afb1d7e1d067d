"""The runs of a comparison: its data on disk once, and every (family, seed, fold) in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scansion.families.catalogue import Family, name_of
from scansion.storage.schema import to_json

LINES_OF_A_CRASH = 3


@dataclass(frozen=True)
class Run:
    """What one process fits."""

    label: str
    family: Family
    seed: int
    fold: int
    task: str
    class_weight: str | None
    processes: int | None


@dataclass(frozen=True)
class Doing:
    """What a run is at; ``progress`` from 0 to 1 where it is known."""

    label: str
    seed: int
    fold: int
    doing: str
    progress: float | None


@dataclass(frozen=True)
class Outcome:
    """What a run gave: answers and scores for its fold's test rows and its cost, or why it failed."""

    run: Run
    answers: list[Any]
    scores: np.ndarray
    cost: dict[str, Any]
    failure: str = ""


def write_data(
    folder: Path, texts: list[str], targets: list[Any], folds: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Texts, targets and each fold's training and test rows, for all runs."""
    with (folder / "texts.jsonl").open("w", encoding="utf-8") as lines:
        for text in texts:
            lines.write(json.dumps(text) + "\n")
    (folder / "targets.json").write_text(json.dumps(targets), encoding="utf-8")
    for number, (train, test) in enumerate(folds):
        np.save(folder / f"train.{number}.npy", train)
        np.save(folder / f"test.{number}.npy", test)


def follow(folder: Path, run: Run, budget: float) -> Iterator[Doing | Outcome]:
    """What happens in a run, and at last its :class:`Outcome`. The process ends with the generator."""
    place = folder / f"{run.label}-{run.seed}-{run.fold}"
    place.mkdir()
    wanted = {
        "family": name_of(run.family), "options": to_json(run.family), "seed": run.seed, "fold": run.fold,
        "task": run.task, "class_weight": run.class_weight, "processes": run.processes,
        "budget": budget if np.isfinite(budget) else None,
    }
    (place / "run.json").write_text(json.dumps(wanted))
    command = [sys.executable, "-m", "scansion.comparison.worker", str(folder), str(place)]
    yield Doing(run.label, run.seed, run.fold, "starting", None)
    with (place / "messages").open("w") as messages:
        worker = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=messages, stdin=subprocess.DEVNULL, text=True,
            start_new_session=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        try:
            for line in worker.stdout:
                yield Doing(run.label, run.seed, run.fold, **json.loads(line))
            code = worker.wait()
        finally:
            _end(worker)
    yield _outcome(run, place, code)


def _end(worker: subprocess.Popen) -> None:
    """End a worker and the processes it has started."""
    if worker.poll() is None:
        os.killpg(worker.pid, 9)
    worker.wait()
    worker.stdout.close()


def _outcome(run: Run, place: Path, code: int) -> Outcome:
    if (place / "cost.json").exists():
        answers = json.loads((place / "answers.json").read_text(encoding="utf-8"))
        cost = json.loads((place / "cost.json").read_text())
        return Outcome(run, answers, np.load(place / "scores.npy"), cost)
    if (place / "failed.json").exists():
        return Outcome(run, [], np.zeros((0, 0)), {}, json.loads((place / "failed.json").read_text()))
    said = (place / "messages").read_text(errors="replace").strip().splitlines()[-LINES_OF_A_CRASH:]
    ended = f"was killed by signal {-code} (out of memory?)" if code < 0 else f"ended with code {code}"
    return Outcome(run, [], np.zeros((0, 0)), {}, f"its process {ended}" + (f": {' '.join(said)}" if said else "."))
