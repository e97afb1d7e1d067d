"""Sampling: the next token drawn from its distribution, sharpened by a temperature and cut to the k likeliest ones.

The draw of source i at position t comes from (seed, i, t) alone, by the Gumbel maximum (Gumbel 1954): what else is in
the batch changes nothing.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from scansion.decoding.state import Hypothesis, State, Step
from scansion.errors import UsageError
from scansion.randomness import stream


def sample(
    step: Step, state: State, numbers: Sequence[int], max_tokens: Tensor, begin: int, end: int, *, seed: int,
    temperature: float = 1.0, top_k: int | None = None,
) -> list[Hypothesis]:
    """One hypothesis a source; ``numbers`` name the sources for their draws, ``max_tokens`` as in greedy decoding.

    UsageError for a temperature that is not above 0 or a ``top_k`` below 1.
    """
    if not 0 < temperature < float("inf"):
        raise UsageError(f"A temperature is a number above 0; got {temperature!r}. For the likeliest token, top_k=1.")
    if top_k is not None and top_k < 1:
        raise UsageError(f"top_k is a whole number of tokens, at least 1; got {top_k!r}.")

    def choose(log_probs: Tensor, rows: Tensor, position: int) -> Tensor:
        sharpened = log_probs / temperature
        if top_k is not None and top_k < log_probs.shape[1]:
            least = sharpened.topk(top_k, dim=1).values[:, -1:]
            sharpened = sharpened.masked_fill(sharpened < least, float("-inf"))
        noise = np.stack([
            stream(seed, "sampling", numbers[row], position).gumbel(size=log_probs.shape[1]) for row in rows.tolist()
        ])
        return (sharpened + torch.from_numpy(noise)).argmax(dim=1)

    return draw(step, state, len(numbers), max_tokens, begin, end, choose)


def draw(
    step: Step, state: State, sources: int, max_tokens: Tensor, begin: int, end: int,
    choose: Callable[[Tensor, Tensor, int], Tensor],
) -> list[Hypothesis]:
    """One token after the other, each by ``choose(log-probabilities (M, V), their sources (M,), position)``."""
    alive, last = torch.arange(sources), torch.full((sources,), begin)
    totals = torch.zeros(sources, dtype=torch.float64)
    written: list[list[int]] = [[] for _ in range(sources)]
    for position in range(int(max_tokens.max())):
        log_probs, state = step(last, state)
        last = choose(log_probs, alive, position)
        last[max_tokens[alive] == position + 1] = end
        totals[alive] += log_probs.gather(1, last[:, None])[:, 0]
        going = last != end
        for source, token in zip(alive[going].tolist(), last[going].tolist(), strict=True):
            written[source].append(token)
        if not going.any():
            break
        if not going.all():
            state = state.reorder(going.nonzero()[:, 0], 1)
        alive, last = alive[going], last[going]
    return [
        Hypothesis(tokens, float(total), float(total) / (len(tokens) + 1))
        for tokens, total in zip(written, totals, strict=True)
    ]
