"""The runs of a comparison: its data on disk once, and every (family, seed, fold) in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.length_slices import slices_of
from scansion.families.catalogue import name_of
from scansion.storage.schema import to_json


@dataclass(frozen=True)
class Run:
    """What one process fits; ``arguments`` are the estimator's own, beside those that all have."""

    label: str
    family: Any
    seed: int
    fold: int
    task: str
    processes: int | None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunEvent:
    """What happens in a run; ``progress`` from 0 to 1 where it is known."""

    label: str
    seed: int
    fold: int
    message: str
    progress: float | None

    def shown(self, folds: int | None) -> "Message":
        """As it is told, of a comparison in so many folds."""
        return Message(f"{_title(self.label, self.seed, self.fold, folds)}: {self.message}", self.progress)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gave: answers for its fold's test rows and its cost, or why it failed.

    ``confidences`` are the probability of each answer (N,), or of each label (N, labels); ``paces (slices, 2)`` are
    test rows and the seconds they took, by length.
    """

    run: Run
    answers: list[Any]
    cost: dict[str, Any]
    failure: str = ""
    confidences: NDArray | None = None
    paces: NDArray | None = None

    def shown(self, folds: int | None) -> "Message":
        """As it is told, of a comparison in so many folds."""
        said = self.failure or f"{self.cost['fit_seconds']:.1f} s"
        return Message(f"{_title(self.run.label, self.run.seed, self.run.fold, folds)}: {said}", lasting=True)


@dataclass(frozen=True)
class Message:
    """A sentence for those who watch, and how far it is."""

    message: str
    progress: float | None = None
    lasting: bool = False


def _title(label: str, seed: int, fold: int, folds: int | None) -> str:
    return f"{label}, seed {seed}" + (f", part {fold + 1} of {folds}" if folds else "")


def write_data(
    folder: Path, texts: list[str], targets: list[Any], folds: list[tuple[np.ndarray, np.ndarray]],
    unlabelled: Sequence[str] = (),
) -> None:
    """Texts, targets and each fold's training and test rows, for all runs; and texts without targets."""
    for name, part in (("texts", texts), ("unlabelled", unlabelled)):
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as lines:
            for text in part:
                lines.write(json.dumps(text) + "\n")
    (folder / "targets.json").write_text(json.dumps(targets), encoding="utf-8")
    for number, (train, test) in enumerate(folds):
        np.save(folder / f"train.{number}.npy", train)
        np.save(folder / f"test.{number}.npy", test)
    np.save(folder / "slices.npy", slices_of(texts, np.unique(np.concatenate([test for _, test in folds]))))


def carry_out(
    runs: Sequence[Run], deadline: float, texts: list[str], targets: list[Any],
    folds: list[tuple[np.ndarray, np.ndarray]], unlabelled: Sequence[str] = (),
) -> Generator[RunEvent | Outcome, None, tuple[list[Outcome], bool]]:
    """What happens in one run after the other; what is left until the deadline is shared among those left.

    Returns the outcomes, and whether they are not all there because somebody interrupted.
    """
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="scansion-comparison-") as scratch:
        write_data(Path(scratch), texts, targets, folds, unlabelled)
        try:
            for number, run in enumerate(runs):
                left = (deadline - time.monotonic()) / (len(runs) - number)
                for event in follow(Path(scratch), run, max(1.0, left)):
                    if isinstance(event, Outcome):
                        outcomes.append(event)
                    yield event
        except KeyboardInterrupt:
            return outcomes, True
    return outcomes, False


def follow(folder: Path, run: Run, budget: float) -> Iterator[RunEvent | Outcome]:
    """What happens in a run, and at last its :class:`Outcome`. The process ends with the generator."""
    place = folder / f"{run.label}-{run.seed}-{run.fold}"
    place.mkdir()
    wanted = {
        "family": name_of(run.family), "options": to_json(run.family), "seed": run.seed, "fold": run.fold,
        "task": run.task, "processes": run.processes, "arguments": dict(run.arguments),
        "budget": budget if np.isfinite(budget) else None,
    }
    (place / "run.json").write_text(json.dumps(wanted))
    command = [sys.executable, "-P", "-m", "scansion.comparison.fit_and_score", str(folder), str(place)]
    yield RunEvent(run.label, run.seed, run.fold, "starting", None)
    with (place / "messages").open("w") as messages:
        worker = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=messages, stdin=subprocess.DEVNULL, text=True,
            start_new_session=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        try:
            for line in worker.stdout or ():
                doing = _told(line)
                if doing is not None:
                    yield RunEvent(run.label, run.seed, run.fold, **doing)
            code = worker.wait()
        finally:
            _end(worker)
    yield _outcome(run, place, code)


def _told(line: str) -> dict[str, Any] | None:
    """What a worker told of its progress; None for what a library may have printed there."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.keys() == {"message", "progress"} else None


def _end(worker: subprocess.Popen[str]) -> None:
    """End a worker and the processes it has started, which outlive it if it was killed."""
    if worker.poll() != 0:
        with suppress(ProcessLookupError, PermissionError):  # nothing of it is left; macOS says so by the second
            os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    if worker.stdout is not None:
        worker.stdout.close()


def _outcome(run: Run, place: Path, code: int) -> Outcome:
    if (place / "cost.json").exists():
        answers = json.loads((place / "answers.json").read_text(encoding="utf-8"))
        cost = json.loads((place / "cost.json").read_text())
        return Outcome(run, answers, cost, "", _array(place / "confidences.npy"), _array(place / "paces.npy"))
    if (place / "failed.json").exists():
        return Outcome(run, [], {}, json.loads((place / "failed.json").read_text()))
    said = (place / "messages").read_text(errors="replace").strip().splitlines()[-1:]
    failure = f"its process {_ended(code)}" + (f": {said[0].strip()}" if said else ".")
    return Outcome(run, [], {}, failure)


def _array(file: Path) -> NDArray | None:
    return np.load(file) if file.exists() else None


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    if -code == signal.SIGKILL:
        return "was killed, as the system does when memory runs out"
    return f"crashed ({signal.strsignal(-code) or f'signal {-code}'})"
