"""Greedy decoding: the likeliest next token, until the end."""

from torch import Tensor

from scansion.decoding.sampling import draw
from scansion.decoding.state import Hypothesis, State, Step


def greedy(step: Step, state: State, sources: int, most: Tensor, begin: int, end: int) -> list[Hypothesis]:
    """One hypothesis a source; ``most (sources,)`` is how many tokens each may have, its end included."""
    return draw(step, state, sources, most, begin, end, lambda chances, rows, position: chances.argmax(dim=1))
