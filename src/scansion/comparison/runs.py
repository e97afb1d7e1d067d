"""The runs of a comparison: its data on disk once, and every (family, seed, fold) in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.early_dropping import EarlyDropping
from scansion.comparison.estimate import write_sample
from scansion.comparison.fit_and_score import TEMPORARY
from scansion.comparison.length_slices import slices_of
from scansion.comparison.run import Message, Outcome, Run, RunEvent
from scansion.comparison.schedule import Allowed, Need, Schedule
from scansion.families.catalogue import name_of
from scansion.processors import WAITING
from scansion.storage.schema import to_json
from scansion.storage.scratch import scratch_folder
from scansion.tasks.task import ComparedData, Parts
from scansion.viewer.number_format import seconds_shown

ESTIMATE_SHARE, ESTIMATE_LEAST, ESTIMATE_MOST = 0.1, 10.0, 0.25
"""Of a budget the share for estimates, the seconds they are worth even of a small one, and the share never passed."""
ESTIMATE_WORTH = 8.0  # seconds, in less of which a process hardly starts
OPENING_WORTH = 60.0  # seconds of budget, with less of which all but the baseline waits for the estimates


def write_data(
    folder: Path, texts: list[str], targets: list[Any], folds: Sequence[tuple[np.ndarray, np.ndarray]],
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
    runs: Sequence[Run], deadline: float, data: ComparedData, dropping: EarlyDropping, baseline: str, parts: Parts,
    unlabelled: Sequence[str] = (),
) -> Generator[RunEvent | Outcome | Message, None, tuple[list[Outcome], bool]]:
    """What happens in one run after the other, on the folds of ``data`` and on smaller ``parts`` of its training rows.

    If there is a ``deadline`` (``time.monotonic``), they are ordered and bounded by a :class:`Schedule`, for which the
    time they need is estimated once the baseline and the first family have a score.
    Returns the outcomes, and whether they are not all there because somebody interrupted.
    """
    outcomes: list[Outcome] = []
    folds = [*data.folds, *parts]
    shares = [len(train) / len(folds[0][0]) for train, _ in folds]
    schedule = Schedule(runs, baseline, shares=shares).ordered(len(data.folds))
    with scratch_folder("comparison") as scratch:
        series = _Series(scratch, deadline, dropping, outcomes)
        try:
            write_data(scratch, data.inputs, data.targets, folds, unlabelled)
            if np.isfinite(deadline):
                opening = _opening(schedule, len(data.folds), deadline - time.monotonic())
                schedule = yield from series.made(schedule, opening)
                schedule = yield from _estimated(scratch, schedule.without(opening), data, deadline)
                schedule = schedule.ordered(len(data.folds))
                yield Message(schedule.told(deadline - time.monotonic()), lasting=True)
            yield from series.made(schedule, schedule.runs)
        except KeyboardInterrupt:
            return outcomes, True
    return outcomes, False


@dataclass(frozen=True)
class _Series:
    """Runs one after the other, with what is known of them so far."""

    folder: Path
    deadline: float
    dropping: EarlyDropping
    outcomes: list[Outcome]

    def made(
        self, schedule: Schedule, runs: Sequence[Run]
    ) -> Generator[RunEvent | Outcome | Message, None, Schedule]:
        """What happens in these runs of a schedule; returns it with the times they took."""
        for number, run in enumerate(runs):
            begun = time.monotonic()
            for event in self._one(schedule, run, [each for each in schedule.runs if each not in runs[:number]]):
                if isinstance(event, Outcome):
                    self.outcomes.append(event)
                    schedule = schedule.after(run, time.monotonic() - begun - event.cost.get("fit_seconds", np.inf))
                yield event
        return schedule

    def _one(self, schedule: Schedule, run: Run, waiting: Sequence[Run]) -> Iterator[RunEvent | Outcome]:
        """What happens in the first of those ``waiting``; no more than its outcome if it is not to be made."""
        if hopeless := self.dropping.hopeless(run):
            yield self.dropping.with_standing(Outcome(run, [], {}, dropped=hopeless))
            return
        if needless := self.dropping.needless(run):
            yield Outcome(run, [], {}, needless=needless)
            return
        left = self.deadline - time.monotonic()
        if late := schedule.too_late(run, left):
            yield Outcome(run, [], {}, untrained=late)
            return
        # another seed comes only if there is time: no first one is cut short for its sake
        equals = sum(each.seed <= run.seed and not self.dropping.left_out(each) for each in waiting)
        for event in follow(self.folder, run, schedule.allowed(run, left, equals)):
            yield self.dropping.with_standing(event) if isinstance(event, Outcome) else event


def _opening(schedule: Schedule, folds: int, left: float) -> list[Run]:
    """What is run before anything is estimated, so that there is something to see: the baseline and one by counts."""
    counted = [run.label for run in schedule.runs if run.family.learner == "convex" and run.label != schedule.baseline]
    labels = {schedule.baseline, *(counted[:1] if left >= OPENING_WORTH else [])}
    return [run for run in schedule.runs if run.label in labels and run.fold < folds]


def _estimated(
    folder: Path, schedule: Schedule, data: ComparedData, deadline: float
) -> Generator[Message, None, Schedule]:
    """The schedule with what its families need, as far as a little of the time suffices to estimate it."""
    begun = time.monotonic()
    left = deadline - begun
    limit = min(max(ESTIMATE_LEAST, ESTIMATE_SHARE * left), ESTIMATE_MOST * left)
    if limit < ESTIMATE_WORTH or not schedule.runs:
        return schedule
    first = {run.label: run for run in reversed(schedule.runs)}
    write_sample(folder, data, [_wanted(first[label]) | {"label": label} for label in reversed(first)])
    for told in _told("estimate", [folder], folder / "messages", limit):
        if told.keys() == {"started"}:
            schedule = replace(schedule, start=time.monotonic() - begun)
        elif told.keys() == {"label", "first", "answer"}:
            need = Need(told["first"], told["answer"])
            schedule = replace(schedule, needs={**schedule.needs, told["label"]: need})
        yield Message(f"estimating what each family takes: {len(schedule.needs)} of {len(first)}")
    return schedule


def _wanted(run: Run) -> dict[str, Any]:
    return {
        "family": name_of(run.family), "options": to_json(run.family), "seed": run.seed, "fold": run.fold,
        "task": run.task, "processes": run.processes, "arguments": dict(run.arguments),
    }


def follow(folder: Path, run: Run, allowed: Allowed) -> Iterator[RunEvent | Outcome]:
    """What happens in a run, and at last its :class:`Outcome`. The process ends with the generator."""
    place = folder / f"{run.label}-{run.seed}-{run.fold}"
    place.mkdir()
    budget = allowed.fit if np.isfinite(allowed.fit) else None
    (place / "run.json").write_text(json.dumps(_wanted(run) | {"budget": budget}))
    doing = "starting"
    yield RunEvent(run, doing, None)
    lines = _told("fit_and_score", [folder, place], place / "messages", allowed.process)
    while True:
        try:
            told = next(lines)
        except StopIteration as done:
            code, stopped = done.value
            break
        if told.keys() == {"message", "progress"}:
            doing = told["message"]
            yield RunEvent(run, **told)
    reason = f"it was stopped after {seconds_shown(allowed.process)} ({doing})" if stopped else ""
    yield _outcome(run, place, code, reason)


def _told(
    program: str, arguments: Sequence[Path], messages: Path, limit: float
) -> Generator[dict[str, Any], None, tuple[int, bool]]:
    """What a program of this room prints, an object a line, in a process that ends with the generator.

    Returns its exit code, and whether it was ended because it took longer than ``limit`` seconds.  What a library may
    have printed there is left out.
    """
    command = [sys.executable, "-P", "-m", f"scansion.comparison.{program}", TEMPORARY, *map(str, arguments)]
    stopped = threading.Event()
    with messages.open("w") as errors:
        worker = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.PIPE, text=True,
            start_new_session=True, env=WAITING | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

        def stop() -> None:
            stopped.set()
            _kill(worker)

        timer = threading.Timer(min(limit, threading.TIMEOUT_MAX), stop)
        timer.daemon = True
        timer.start()
        try:
            for line in worker.stdout or ():
                told = _read(line)
                if isinstance(told, dict):
                    yield told
            code = worker.wait()
        finally:
            timer.cancel()
            if worker.poll() != 0:
                _kill(worker)
            worker.wait()
            for stream in (worker.stdout, worker.stdin):
                if stream is not None:
                    stream.close()
    return code, stopped.is_set()


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _kill(worker: subprocess.Popen[str]) -> None:
    """End a worker and the processes it has started, which outlive it if it was killed."""
    with suppress(ProcessLookupError, PermissionError):  # nothing of it is left; macOS says so by the second
        os.killpg(worker.pid, signal.SIGKILL)


def _outcome(run: Run, place: Path, code: int, stopped: str) -> Outcome:
    if (place / "cost.json").exists():
        answers = json.loads((place / "answers.json").read_text(encoding="utf-8"))
        cost = json.loads((place / "cost.json").read_text())
        return Outcome(run, answers, cost, "", _array(place / "confidences.npy"), _array(place / "paces.npy"))
    for name in ("failure", "untrained"):
        if (place / f"{name}.json").exists():
            return replace(Outcome(run, [], {}), **{name: json.loads((place / f"{name}.json").read_text())})
    if stopped:
        return Outcome(run, [], {}, untrained=stopped)
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
