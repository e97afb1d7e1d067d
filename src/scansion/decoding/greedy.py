"""Greedy decoding: the likeliest next token, until the end."""

from torch import Tensor

from scansion.decoding.filters import likeliest
from scansion.decoding.sampling import draw
from scansion.decoding.state import Hypothesis, State, Step


def greedy(step: Step, state: State, sources: int, max_tokens: Tensor, begin: int, end: int) -> list[Hypothesis]:
    """One hypothesis a source; ``max_tokens (sources,)`` is how many tokens each may have, its end included."""
    return draw(step, state, sources, max_tokens, begin, end, lambda log_probs, rows, position: likeliest(log_probs))
