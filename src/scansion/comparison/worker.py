"""``python -m scansion.comparison.worker FOLDER RUN``: one family, seed and fold, in a process of its own.

A crash, or the end of memory, is then one failed row; and the peak memory is this run's and nobody else's.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.slices import SLICES
from scansion.errors import DivergedError, ScansionError
from scansion.families.catalogue import FAMILIES, WRITERS
from scansion.learning.counted import Remark, Stage
from scansion.learning.gradient import Step
from scansion.learning.run import Epoch
from scansion.storage.schema import from_json
from scansion.tasks.documents import DocumentClassifier, DocumentRegressor
from scansion.tasks.translation import Translator

SECONDS_BETWEEN_STEPS_TOLD = 0.5
PACE_SECONDS, PACE_FEWEST, PACE_MOST = 0.25, 16, 256  # what a pace is taken from: texts for so long, and how many
KIB = 1024 if sys.platform != "darwin" else 1


def work(folder: Path, run: Path) -> None:
    """Fit, predict and measure what ``run/run.json`` asks for."""
    wanted = json.loads((run / "run.json").read_text())
    texts, targets = read_rows(folder), json.loads((folder / "targets.json").read_text(encoding="utf-8"))
    train, test = np.load(folder / f"train.{wanted['fold']}.npy"), np.load(folder / f"test.{wanted['fold']}.npy")
    estimator = _estimator(wanted)
    try:
        more = {"unlabelled": read_rows(folder, "unlabelled")} if wanted["pretrain"] else {}
        cost = _measure(estimator, texts, targets, train, test, np.load(folder / "slices.npy"), run, more)
    except (ScansionError, MemoryError) as error:
        reason = "it ran out of memory." if isinstance(error, MemoryError) else str(error)
        (run / "failed.json").write_text(json.dumps(reason))
        return
    (run / "cost.json").write_text(json.dumps(cost))


def read_rows(folder: Path, name: str = "texts") -> list[str]:
    """All texts of a comparison, or those without targets."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _estimator(wanted: dict[str, Any]) -> DocumentClassifier | DocumentRegressor | Translator:
    shared = {"budget": wanted["budget"], "processes": wanted["processes"], "random_state": wanted["seed"]}
    if wanted["task"] == "translate":
        return Translator(from_json(WRITERS[wanted["family"]], wanted["options"], "run.json"), **shared)
    family = from_json(FAMILIES[wanted["family"]], wanted["options"], "run.json")
    shared |= {"pretrain": wanted["pretrain"]}
    if wanted["task"] == "regress":
        return DocumentRegressor(family, **shared)
    return DocumentClassifier(family, class_weight=wanted["class_weight"], **shared)


def _measure(
    estimator: DocumentClassifier | DocumentRegressor | Translator, texts: list[str], targets: list[Any],
    train: np.ndarray, test: np.ndarray, slices: np.ndarray, run: Path, more: dict[str, list[str]],
) -> dict[str, Any]:
    told = 0.0
    for event in estimator.fitting([texts[i] for i in train], [_hashable(targets[i]) for i in train], **more):
        if not isinstance(event, Step) or time.monotonic() - told > SECONDS_BETWEEN_STEPS_TOLD:
            told = time.monotonic()
            print(json.dumps(_told(event)), flush=True)
    held = [texts[i] for i in test]
    begun = time.perf_counter()
    if isinstance(estimator, Translator):
        scores, answers = None, estimator.predict(held)
    else:
        scores = _scores(estimator, held)
        answers = [list(answer) if isinstance(answer, tuple) else answer for answer in estimator.answers(scores)]
    seconds = time.perf_counter() - begun
    if isinstance(estimator, DocumentClassifier):
        np.save(run / "confidences.npy", _confidences(estimator, scores, targets))
    np.save(run / "paces.npy", _paces(estimator, held, slices[test], seconds / len(held)))
    (run / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    read, there = estimator.coverage(held).sum(axis=0).tolist()
    own, workers = own_peak_memory(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIB
    with tempfile.TemporaryDirectory() as scratch:
        estimator.save(Path(scratch) / "model")
        size = sum(file.stat().st_size for file in (Path(scratch) / "model").iterdir())
    report = estimator.fit_report_
    return {
        "fit_seconds": report.seconds, "predict_seconds": seconds, "size_bytes": size,
        "peak_memory_bytes": own + report.workers * workers, "tokens_read": read, "tokens_there": there,
        "parameters": report.parameters, "notes": list(report.notes),
        "cut_short": report.cut_short,
    }


def own_peak_memory() -> int:
    """The bytes this program had at its peak; Linux counts those of whoever started it too, save in one place."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def _scores(estimator: DocumentClassifier | DocumentRegressor, held: list[str]) -> NDArray:
    """The texts' scores, (N, K); DivergedError where one is no number."""
    scores = estimator.decision_function(held)
    if not np.isfinite(scores).all():
        raise DivergedError(f"{np.sum(~np.isfinite(scores).all(axis=1)):,} test texts got answers that are no numbers.")
    return scores


def _confidences(estimator: DocumentClassifier, scores: NDArray, targets: list[Any]) -> NDArray:
    """The probability of each answer (N,), or of each of several labels (N, labels): 0 for one not met in training."""
    probabilities = estimator.head_.probabilities(scores).astype(np.float32)
    if estimator.head_.kind != "multilabel":
        return probabilities.max(axis=1)
    labels = sorted({label for held in targets for label in held})
    confidences = np.zeros((len(scores), len(labels)), np.float32)
    confidences[:, np.searchsorted(labels, estimator.head_.labels)] = probabilities
    return confidences


def _paces(
    estimator: DocumentClassifier | DocumentRegressor | Translator, held: list[str], slices: NDArray, each: float
) -> NDArray:
    """Texts of every length and the seconds they take, (SLICES, 2): some of them, read once more.

    ``each`` is the mean seconds a text.  It comes after the main timing, which it would disturb.
    """
    read = estimator.predict if isinstance(estimator, Translator) else estimator.decision_function
    most = int(np.clip(PACE_SECONDS / max(each, 1e-9), PACE_FEWEST, PACE_MOST))
    paces = np.zeros((SLICES, 2))
    for number in range(SLICES):
        there = np.flatnonzero(slices == number)
        some = [held[i] for i in there[:: max(1, -(-len(there) // most))]]
        if some:
            begun = time.perf_counter()
            read(some)
            paces[number] = len(some), time.perf_counter() - begun
    return paces


def _told(event: Stage | Remark | Step | Epoch) -> dict[str, Any]:
    if isinstance(event, Stage | Remark):
        return {"doing": event.doing if isinstance(event, Stage) else event.text, "progress": None}
    if isinstance(event, Step):
        return {"doing": f"epoch {event.epoch + 1}, loss {event.loss:.3f}", "progress": event.progress}
    return {"doing": f"epoch {event.number} of {event.of}", "progress": None}


def _hashable(target: Any) -> Any:
    return tuple(target) if isinstance(target, list) else target


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]))
