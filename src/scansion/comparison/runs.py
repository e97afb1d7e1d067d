"""The runs of a comparison: its data on disk once, then every (family, seed, fold), several at a time where that pays.

Small networks are trained on one processor, since no product of theirs is worth sharing: of several processors each
then has a run of its own.  Which runs are made is decided before a seed's first one begins, by what those of the seeds
before have shown, so that it depends on no clock.
"""

import json
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scansion.comparison.early_dropping import EarlyDropping
from scansion.comparison.estimate import write_sample
from scansion.comparison.length_slices import slices_of
from scansion.comparison.run import Message, Outcome, Run, RunEvent
from scansion.comparison.run_process import follow, printed, wanted
from scansion.comparison.schedule import Need, Schedule
from scansion.processors import cores
from scansion.storage.scratch import scratch_folder
from scansion.tasks.task import ComparedData, Parts

ESTIMATE_SHARE, ESTIMATE_LEAST, ESTIMATE_MOST = 0.1, 10.0, 0.25
"""Of a budget the share for estimates, the seconds they are worth even of a small one, and the share never passed."""
ESTIMATE_WORTH = 8.0  # seconds, in less of which a process hardly starts
OPENING_WORTH = 60.0  # seconds of budget, with less of which all but the baseline waits for the estimates
MOST_AT_A_TIME = 4
CHARACTERS_AT_A_TIME = 10_000_000  # of training texts; a run of more has work for several processors


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
    at_a_time = runs_at_a_time(runs, data)
    schedule = Schedule(runs, baseline, shares=shares, at_a_time=at_a_time).ordered(len(data.folds))
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


def runs_at_a_time(runs: Sequence[Run], data: ComparedData) -> int:
    """How many runs are made side by side: one, where somebody has said how many processes a run has."""
    characters = sum(len(data.inputs[i]) for i in data.folds[0][0])
    if characters > CHARACTERS_AT_A_TIME or any(run.processes is not None for run in runs):
        return 1
    return min(cores(), MOST_AT_A_TIME)


@dataclass(frozen=True)
class _Series:
    """Runs in their order, with what is known of them so far."""

    folder: Path
    deadline: float
    dropping: EarlyDropping
    outcomes: list[Outcome]

    def made(
        self, schedule: Schedule, runs: Sequence[Run]
    ) -> Generator[RunEvent | Outcome | Message, None, Schedule]:
        """What happens in these runs of a schedule; returns it with the times they took."""
        waiting = list(schedule.runs)
        for together in schedule.rounds(runs):
            schedule = yield from self._side_by_side(schedule, together, waiting)
        return schedule

    def _side_by_side(
        self, schedule: Schedule, runs: Sequence[Run], waiting: list[Run]
    ) -> Generator[RunEvent | Outcome | Message, None, Schedule]:
        """What happens in runs that say nothing of each other; they are taken from those ``waiting`` as they begin."""
        queue = deque((run, self._skipped(run)) for run in runs)
        under_way: list[tuple[Run, float, Generator[RunEvent | Outcome | None]]] = []
        try:
            while queue or under_way:
                while queue and len(under_way) < schedule.at_a_time:
                    run, known = queue.popleft()
                    left = self.deadline - time.monotonic()
                    if known := known or self._late(schedule, run, left):
                        yield self._noted(known)
                    else:
                        # another seed comes only if there is time: no first one is cut short for its sake
                        equals = [
                            each for each in waiting if each.seed <= run.seed and not self.dropping.left_out(each)
                        ]
                        events = follow(self.folder, run, schedule.allowed(run, left, equals))
                        under_way.append((run, time.monotonic(), events))
                    waiting.remove(run)
                for one in list(under_way):
                    _, begun, events = one
                    event = next(events)
                    if isinstance(event, Outcome):
                        under_way.remove(one)
                        schedule = schedule.after(event, time.monotonic() - begun)
                        event = self._noted(event)
                    if event is not None:
                        yield event
        finally:
            for _, _, events in under_way:
                events.close()
        return schedule

    def _skipped(self, run: Run) -> Outcome | None:
        """The outcome of a run that is not to be made, whatever the time."""
        if hopeless := self.dropping.hopeless(run):
            return Outcome(run, [], {}, dropped=hopeless)
        if needless := self.dropping.needless(run):
            return Outcome(run, [], {}, needless=needless)
        return None

    def _late(self, schedule: Schedule, run: Run, left: float) -> Outcome | None:
        late = schedule.too_late(run, left)
        return Outcome(run, [], {}, untrained=late) if late else None

    def _noted(self, outcome: Outcome) -> Outcome:
        """The outcome, among the others, with the family's score and place so far."""
        outcome = self.dropping.with_standing(outcome)
        self.outcomes.append(outcome)
        return outcome


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
    write_sample(folder, data, [wanted(first[label]) | {"label": label} for label in reversed(first)])
    for told in printed("estimate", [folder], folder / "messages", limit):
        if told is None:
            continue
        if told.keys() == {"started"}:
            schedule = replace(schedule, start=time.monotonic() - begun)
        elif told.keys() == {"label", "first", "answer"}:
            need = Need(told["first"], told["answer"])
            schedule = replace(schedule, needs={**schedule.needs, told["label"]: need})
        yield Message(f"estimating what each family takes: {len(schedule.needs)} of {len(first)}")
    return schedule
