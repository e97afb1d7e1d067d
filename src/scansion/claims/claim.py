"""A claim of the talk: its sentence, where its prediction is from, the conditions of its verdict, and an experiment."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

from scansion.claims.finding import Condition, Finding, Measurement, verdict
from scansion.learning.events import finished
from scansion.randomness import stream


@dataclass(frozen=True)
class Budget:
    """How much an experiment may do: for how many seeds, and which share of its full work.

    ``learning`` is the share of the steps of a task that has to be learned before there is anything to see.
    """

    seeds: int = 3
    work: float = 1.0
    learning: float = 1.0

    def of(self, full: int, least: int = 1) -> int:
        """A number of steps, rows or repetitions: the share of so many."""
        return max(least, round(full * self.work))

    def seeds_from(self, seed: int) -> list[int]:
        """As many as it has, each a function of the first one."""
        return [int(stream(seed, "claims", number).integers(2**31)) for number in range(self.seeds)]


FULL, QUICK = Budget(), Budget(seeds=2, work=0.25, learning=0.7)
Experiment = Callable[[Budget, int], Generator[str, None, Measurement]]
"""Tells what it is doing, a few words at a time, and gives what it measured."""


@dataclass(frozen=True)
class Claim:
    """All that is fixed before the experiment is run.

    ``sentence`` is the claim as the talk makes it, ``source`` the formula or the paper behind it, ``predicted`` what
    follows from it.
    """

    name: str
    sentence: str
    source: str
    predicted: str
    conditions: tuple[Condition, ...]
    experiment: Experiment
    alone: bool = False
    """Whether it measures what a second core brings, so that no other experiment may use it."""

    def running(self, budget: Budget = FULL, seed: int = 0) -> Generator[str, None, Finding]:
        """What is being done, and the finding."""
        begun = time.process_time()
        measured = yield from self.experiment(budget, seed)
        judged, states = verdict(self.conditions, measured.figures)
        return Finding(
            self.name, self.sentence, self.source, self.predicted, measured, self.conditions, judged, tuple(states),
            budget.seeds, time.process_time() - begun,
        )

    def run(self, budget: Budget = FULL, seed: int = 0) -> Finding:
        """The finding."""
        return finished(self.running)(budget, seed)
