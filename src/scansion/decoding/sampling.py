"""Sampling: the next token drawn from its distribution, sharpened by a temperature and cut to the likeliest ones.

The draw of source i at position t comes from (seed, i, t) alone, by the Gumbel maximum (Gumbel 1954): what else is in
the batch changes nothing.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from scansion.decoding.state import Hypothesis, State, Step
from scansion.randomness import stream


def sample(
    step: Step, state: State, numbers: Sequence[int], most: Tensor, begin: int, end: int, *, seed: int,
    temperature: float = 1.0, likeliest: int | None = None,
) -> list[Hypothesis]:
    """One hypothesis a source; ``numbers`` name the sources for their draws, ``most`` as in greedy decoding."""

    def choose(chances: Tensor, rows: Tensor, position: int) -> Tensor:
        sharpened = chances / temperature
        if likeliest is not None and likeliest < chances.shape[1]:
            least = sharpened.topk(likeliest, dim=1).values[:, -1:]
            sharpened = sharpened.masked_fill(sharpened < least, float("-inf"))
        noise = np.stack([
            stream(seed, "sampling", numbers[row], position).gumbel(size=chances.shape[1]) for row in rows.tolist()
        ])
        return (sharpened + torch.from_numpy(noise)).argmax(dim=1)

    return draw(step, state, len(numbers), most, begin, end, choose)


def draw(
    step: Step, state: State, sources: int, most: Tensor, begin: int, end: int,
    choose: Callable[[Tensor, Tensor, int], Tensor],
) -> list[Hypothesis]:
    """One token after the other, each by ``choose(log-probabilities (M, V), their sources (M,), position)``."""
    alive, last = torch.arange(sources), torch.full((sources,), begin)
    totals = torch.zeros(sources, dtype=torch.float64)
    written: list[list[int]] = [[] for _ in range(sources)]
    for position in range(int(most.max())):
        chances, state = step(last, state)
        last = choose(chances, alive, position)
        last[most[alive] == position + 1] = end
        totals[alive] += chances.gather(1, last[:, None])[:, 0]
        going = last != end
        for source, token in zip(alive[going].tolist(), last[going].tolist(), strict=True):
            written[source].append(token)
        if not going.any():
            break
        if not going.all():
            state = state.select(going.nonzero()[:, 0], 1)
        alive, last = alive[going], last[going]
    return [
        Hypothesis(tokens, float(total), float(total) / (len(tokens) + 1))
        for tokens, total in zip(written, totals, strict=True)
    ]
