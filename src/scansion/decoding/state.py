"""What decoding asks of whoever writes: a state, and a step from it.

A state belongs to ``B`` sources with ``K`` hypotheses each, the hypotheses of a source side by side, N = B * K.  It
begins with one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from torch import Tensor


@dataclass(frozen=True)
class Hypothesis:
    """Tokens without the end, their summed log-probability with the end, and the score they are ranked by."""

    tokens: list[int]
    log_probability: float
    score: float


class State(Protocol):
    """What was read and written so far."""

    def reorder(self, rows: Tensor, hypotheses: int) -> Self:
        """The given rows (M,) of the N, ``hypotheses`` of them a source; a source's rows come from that source."""
        ...


Step = Callable[[Tensor, State], tuple[Tensor, State]]
"""(last tokens (N,), state) -> (log-probabilities of the next (N, V), state)."""


def excluding(step: Step, tokens: Sequence[int]) -> Step:
    """The same step, after which none of these tokens comes next; the log-probabilities of the others stay."""

    def without(last: Tensor, state: State) -> tuple[Tensor, State]:
        log_probs, state = step(last, state)
        log_probs[:, list(tokens)] = float("-inf")
        return log_probs, state

    return without
