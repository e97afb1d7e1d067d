"""Which strengths of a linear head's prior are tried, and which one is chosen."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from scansion.learning.events import Event
from scansion.learning.linear import Linear

STRENGTHS_A_TIME = 2


@dataclass(frozen=True)
class Choice:
    """The chosen strength, the held-out loss of each one tried, and what the chosen one answered held out."""

    strength: float
    held_out: dict[float, float]
    rows: np.ndarray
    """The held-out rows, (M,)."""
    logits: np.ndarray
    """Their logits by heads that had not seen them, (M, K)."""
    reason: str
    head: Linear | None = None
    """One of those heads: where the head of all rows may begin."""
    cut_short: bool = False
    """Whether there was no time to look further."""


@dataclass(frozen=True)
class FittedLinear:
    """A linear head, and how its strength was chosen."""

    linear: Linear
    choice: Choice


Fitting = Generator[Event, None, FittedLinear]


def smallest_good(losses: dict[float, np.ndarray]) -> float:
    """The smallest strength whose mean loss is within one standard error of the lowest, paired row by row."""
    best = min(losses.values(), key=np.mean)
    return min(
        strength for strength, mine in losses.items()
        if (mine - best).mean() <= (mine - best).std() / len(best) ** 0.5
    )


def further(strengths: tuple[float, ...], tried: list[float], chosen: float) -> tuple[float, ...]:
    """The next ``strengths`` to try: beyond the edge of those tried, as long as the edge is the choice."""
    place = strengths.index(chosen)
    if chosen == tried[-1]:
        return strengths[place + 1 :][:STRENGTHS_A_TIME]
    if chosen == tried[0]:
        return strengths[:place][-STRENGTHS_A_TIME:]
    return ()
