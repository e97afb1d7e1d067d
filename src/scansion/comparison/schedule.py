"""The time of a comparison that has a budget: what each run needs, which comes first, and how long it may take.

The first seed of every family comes before any second one, the cheapest family first; without a budget, those smaller
parts that a family begins with come before it.  A run may take an equal part of what is left for runs of its seed, or
what a first score needs if that is more: a family that is trained once says more than one that is cut short three
times.  For the same reason another seed is only begun where what the first one took is left.  A network ends its
training by itself when its time is over.  What cannot end early, such as solving a linear head, may go on for half of
what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Self

import numpy as np

from scansion.comparison.run import Outcome, Run
from scansion.processors import cores
from scansion.viewer.number_format import counted, seconds_shown

GRACE = 20.0  # seconds beyond its time after which a process is ended
SAFETY = 1.25  # an estimate may be too low by so much
HOPELESS = 2.0  # or too high: a run that seems to need so many times what is left is not begun
LEAST = 0.5  # seconds of a fit
SOLVED = frozenset({"convex", "counted"})
"""The learners that draw nothing, so that one seed says it all, and whose need is all they take."""


@dataclass(frozen=True)
class Need:
    """Seconds that a run needs: until there is something to score, and for the answers."""

    first: float
    answer: float


@dataclass(frozen=True)
class Allowed:
    """Seconds that a fit may take, seconds after which its process is ended, and its threads; None for the usual."""

    fit: float = np.inf
    process: float = np.inf
    threads: int | None = None


UNBOUNDED = Allowed()


@dataclass(frozen=True)
class Schedule:
    """What is known of the times of ``runs``: what each label needs, where that could be estimated.

    ``start`` is what it takes to start a process; ``around`` what runs of a label took beside their fit, ``fits`` what
    the longest fit of a label and seed took that was not cut short; ``shares`` how many of all training rows each fold
    has; ``at_a_time`` how many runs are made side by side.
    """

    runs: Sequence[Run]
    baseline: str
    start: float = 0.0
    needs: Mapping[str, Need] = field(default_factory=dict)
    around: Mapping[str, float] = field(default_factory=dict)
    fits: Mapping[tuple[str, int], float] = field(default_factory=dict)
    shares: Sequence[float] = ()
    at_a_time: int = 1

    def ordered(self, whole: int) -> Self:
        """The runs in the order in which they are made; folds from ``whole`` on are smaller parts, and come last."""
        labels = list(dict.fromkeys(run.label for run in self.runs))

        def place(run: Run) -> tuple[bool, bool, int, float, int, bool, int]:
            return (
                run.fold >= whole and not run.begins, run.label != self.baseline, run.seed, self.seconds(run, np.inf),
                labels.index(run.label), not run.begins, run.fold,
            )

        return replace(self, runs=sorted(self.runs, key=place))

    def rounds(self, runs: Sequence[Run]) -> list[list[Run]]:
        """Some of the runs, in their order, those together of which none says whether another is worth its time.

        That are those of one seed; but a family may be dropped for what it has shown on the rows that it begins with.
        """
        if self.at_a_time == 1 or any(run.begins for run in self.runs):
            return [[run] for run in runs]
        return [list(together) for _, together in groupby(runs, key=lambda run: (run.part_rows > 0, run.seed))]

    def without(self, runs: Sequence[Run]) -> Self:
        """The schedule of the other runs."""
        return replace(self, runs=[run for run in self.runs if run not in runs])

    def seconds(self, run: Run, unknown: float = 0.0) -> float:
        """What a run needs at least, or ``unknown``."""
        if run.label not in self.needs:
            return unknown
        return self.needs[run.label].first * self.shares[run.fold] + self.beside(run)

    def beside(self, run: Run) -> float:
        """What a run takes beside its fit; where nothing was estimated, as much as any before it."""
        if run.label in self.needs:
            return max(self.start + self.needs[run.label].answer, self.around.get(run.label, 0.0))
        return self.around.get(run.label, max([self.start, *self.around.values()]))

    def too_late(self, run: Run, left: float) -> str:
        """Why a run is not begun when so many seconds are left; empty if it is.

        The baseline, which needs no training, always is.
        """
        if run.label == self.baseline:
            return ""
        if left <= self.beside(run) + LEAST:
            return "the budget was spent before its turn"
        if self.seconds(run) > HOPELESS * left:
            return (f"a score takes about {seconds_shown(self.seconds(run))}, and {seconds_shown(left)} were left "
                    "when its turn came")
        if self.whole(run) > left:
            return f"another seed takes about {seconds_shown(self.whole(run))}, and {seconds_shown(left)} were left"
        return ""

    def whole(self, run: Run) -> float:
        """What a run takes if it is another seed of what was trained to its end; else zero."""
        found = [took for (label, seed), took in self.fits.items() if label == run.label and seed < run.seed]
        return max(found) * self.shares[run.fold] + self.beside(run) if found else 0.0

    def allowed(self, run: Run, left: float, waiting: Sequence[Run]) -> Allowed:
        """The time of a run when so many seconds are left for those ``waiting``, itself among them."""
        threads = None if self.at_a_time == 1 else max(1, cores() // self.at_a_time)
        if np.isinf(left):
            return Allowed(threads=threads)
        left, beside = max(left, 0.0), self.beside(run)
        share = max(self.equal(left, waiting), min(left, SAFETY * max(self.seconds(run), self.whole(run))))
        return Allowed(max(LEAST, share - beside), max(share, left / 2) + GRACE, threads)

    def equal(self, left: float, waiting: Sequence[Run]) -> float:
        """An equal part of what is left; what is solved and needs less than that leaves the rest to the others."""
        solved = [run for run in waiting if run.family.learner in SOLVED and run.label in self.needs]
        to_share, sharing = left * self.at_a_time, len(waiting)
        for needed in sorted(SAFETY * self.seconds(run) for run in solved):
            if sharing > 1 and needed < to_share / sharing:
                to_share, sharing = to_share - needed, sharing - 1
        return min(left, to_share / sharing)

    def after(self, outcome: Outcome, seconds: float) -> Self:
        """The schedule once a run has ended, so many seconds after it was begun."""
        run, fit = outcome.run, outcome.cost.get("fit_seconds", np.inf)
        found = replace(self, around={**self.around, run.label: max(seconds - fit, self.around.get(run.label, 0.0))})
        if not outcome.cost or outcome.cost["cut_short"] or run.part_rows:
            return found
        key = run.label, run.seed
        return replace(found, fits={**self.fits, key: max(fit, self.fits.get(key, 0.0))})

    def told(self, budget: float) -> str:
        """What will be tried in which order, and whether there is time for it: ``budget`` is what is left of it now."""
        labels = list(dict.fromkeys(run.label for run in self.runs))
        seeds = "; the first seed of all before the second of any" if len({run.seed for run in self.runs}) > 1 else ""
        order = f"In this order, cheapest first: {', '.join(labels)}{seeds}."
        runs, given = counted(len(self.runs), "run"), seconds_shown(max(0.0, budget))
        if unknown := [label for label in labels if label not in self.needs]:
            return (
                f"{given} of the budget are left for {runs}, which may be too little: there was no time to estimate "
                f"what {', '.join(unknown)} will take. {order}"
            )
        ends = np.cumsum([self.seconds(run) for run in self.runs]) / self.at_a_time
        total = f"about {seconds_shown(float(ends[-1]))}"
        if ends[-1] <= budget:
            return f"{given} of the budget are left for {runs}, and one epoch of each takes {total}. {order}"
        reached = {run.label for run, end in zip(self.runs, ends, strict=True) if end <= budget}
        beyond = [label for label in labels if label not in reached]
        fewer = "every family can be trained for an epoch at least once" if not beyond else (
            f"{', '.join(beyond)} will hardly be trained"
        )
        return (
            f"The budget is too small for all {runs}: {given} are left, and one epoch of each takes {total}. {order} "
            f"By this estimate {fewer}."
        )
