"""``python -m scansion.comparison.fit_and_score FOLDER RUN``: one family, seed and fold, in a process of its own.

With ``--temporary`` before them it leads a process group of its own, and standard input is a line to who started it.
A crash, or the end of memory, is then one failed row; and the peak memory is this run's and nobody else's.
"""

import gc
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.length_slices import SLICES
from scansion.deferred import deferred
from scansion.errors import ScansionError, UsageError
from scansion.memory import exhausted
from scansion.storage.schema import from_json
from scansion.tasks.catalogue import task_named
from scansion.tasks.task import ComparedTask

TEMPORARY = "--temporary"
load_torch = deferred("torch", "get_num_threads")
"""Called before a fit, so that the seconds of loading it are no cost of a family."""
SECONDS_BETWEEN_EVENTS = 0.5
PACE_SECONDS, PACE_FEWEST, PACE_MOST = 0.25, 16, 256  # what a pace is taken from: texts for so long, and how many
KIB = 1024 if sys.platform != "darwin" else 1


def work(folder: Path, run: Path) -> None:
    """Fit, predict and measure what ``run/run.json`` asks for."""
    wanted = json.loads((run / "run.json").read_text())
    texts, targets = read_rows(folder), json.loads((folder / "targets.json").read_text(encoding="utf-8"))
    train, test = np.load(folder / f"train.{wanted['fold']}.npy"), np.load(folder / f"test.{wanted['fold']}.npy")
    try:
        more = {"unlabelled": read_rows(folder, "unlabelled")} if wanted["arguments"].get("pretrain") else {}
        estimator = _fitted(wanted, [texts[i] for i in train], [hashable(targets[i]) for i in train], more)
        if estimator.fit_report_.untrained:
            (run / "untrained.json").write_text(json.dumps(estimator.fit_report_.untrained))
            return
        cost = _measure(wanted, estimator, [texts[i] for i in test], targets, np.load(folder / "slices.npy")[test], run)
    except Exception as error:
        reason = str(error) if isinstance(error, ScansionError) else exhausted(error)
        if reason is None:
            raise
        (run / "failure.json").write_text(json.dumps(reason))
        return
    (run / "cost.json").write_text(json.dumps(cost))


def read_rows(folder: Path, name: str = "texts") -> list[str]:
    """All texts of a comparison, or those without targets."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def estimator_of(wanted: dict[str, Any]) -> Any:
    """The estimator that ``run.json`` describes."""
    task = task_named(wanted["task"])
    family: Any = from_json(task.families[wanted["family"]], wanted["options"], "run.json")
    shared = {"budget": wanted["budget"], "processes": wanted["processes"], "random_state": wanted["seed"]}
    return compared_of(wanted).estimator(family, **shared, **wanted["arguments"])


def compared_of(wanted: dict[str, Any]) -> ComparedTask:
    """What is compared of the task. UsageError for one of which nothing is."""
    compared = task_named(wanted["task"]).compared
    if compared is None:
        raise UsageError(f"There is nothing to compare for the task {wanted['task']!r}.")
    return compared


def _fitted(wanted: dict[str, Any], texts: list[str], targets: list[Any], more: dict[str, list[str]]) -> Any:
    estimator, told = estimator_of(wanted), 0.0
    for event in estimator.fitting(texts, targets, **more):
        if event.progress is None or time.monotonic() - told > SECONDS_BETWEEN_EVENTS:
            told = time.monotonic()
            _tell(event.message, event.progress)
    return estimator


def _tell(message: str, progress: float | None) -> None:
    print(json.dumps({"message": message, "progress": progress}), flush=True)


def _measure(
    wanted: dict[str, Any], estimator: Any, held: list[str], targets: list[Any], slices: np.ndarray, run: Path
) -> dict[str, Any]:
    _tell(f"answering {len(held):,} test texts", None)
    begun = time.perf_counter()
    answered = compared_of(wanted).answer(estimator, held, targets)
    seconds = time.perf_counter() - begun
    if answered.confidences is not None:
        np.save(run / "confidences.npy", answered.confidences)
    np.save(run / "paces.npy", _paces(estimator, held, slices, seconds / len(held)))
    (run / "answers.json").write_text(json.dumps(answered.answers), encoding="utf-8")
    read, there = estimator.coverage(held).sum(axis=0).tolist()
    own, workers = own_peak_memory(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIB
    with tempfile.TemporaryDirectory(dir=run) as scratch:
        estimator.save(Path(scratch) / "model")
        size = sum(file.stat().st_size for file in (Path(scratch) / "model").iterdir())
    report = estimator.fit_report_
    return {
        "fit_seconds": report.seconds, "processor_seconds": report.processor_seconds, "predict_seconds": seconds,
        "size_bytes": size, "peak_memory_bytes": own + report.workers * workers, "tokens_read": read,
        "tokens_there": there, "parameters": report.parameters, "notes": list(report.notes),
        "cut_short": report.cut_short,
    }


def own_peak_memory() -> int:
    """The bytes this program had at its peak; Linux counts those of whoever started it too, save in one place."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def _paces(estimator: Any, held: list[str], slices: NDArray, each: float) -> NDArray:
    """Texts of every length and the seconds they take, (SLICES, 2): some of them, read once more.

    ``each`` is the mean seconds a text.  It comes after the main timing, which it would disturb.
    """
    most = int(np.clip(PACE_SECONDS / max(each, 1e-9), PACE_FEWEST, PACE_MOST))
    paces = np.zeros((SLICES, 2))
    for number in range(SLICES):
        there = np.flatnonzero(slices == number)
        some = [held[i] for i in there[:: max(1, -(-len(there) // most))]]
        if some:
            begun = time.perf_counter()
            estimator.predict(some)
            paces[number] = len(some), time.perf_counter() - begun
    return paces


def hashable(target: Any) -> Any:
    """A target as it was before it was JSON."""
    return tuple(target) if isinstance(target, list) else target


def arguments() -> list[Path]:
    """The folders that the program was given; after ``--temporary`` the first of them goes with who started it."""
    given = sys.argv[1:]
    if given[:1] != [TEMPORARY]:
        return [*map(Path, given)]
    threading.Thread(target=_end_with_the_parent, args=(Path(given[1]),), daemon=True).start()
    return [*map(Path, given[1:])]


def _end_with_the_parent(folder: Path) -> None:
    """When standard input closes, that process has died: its folder goes, and this process with all that it started."""
    os.read(sys.stdin.fileno(), 1)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    load_torch()
    work(*arguments())
    gc.freeze()  # as at the end of the command
