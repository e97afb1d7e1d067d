"""Sampling: the next token drawn from its distribution, or from what is made of that.

The draw of source i at position t comes from (seed, i, t) alone, by the Gumbel maximum (Gumbel 1954): what else is in
the batch changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from scansion.decoding.filters import Sampling, likeliest
from scansion.decoding.state import Hypothesis, State, Step
from scansion.errors import UsageError
from scansion.randomness import stream

Choose = Callable[[Tensor, Tensor, int], Tensor]
"""(log-probabilities (M, V), their sources (M,), position) -> tokens (M,)."""


def sample(
    step: Step, state: State, numbers: Sequence[int], max_tokens: Tensor, begin: int, end: int, *, seed: int,
    temperature: float = 1.0, top_k: int | None = None,
) -> list[Hypothesis]:
    """One hypothesis a source; ``numbers`` name the sources for their draws, ``max_tokens`` as in greedy decoding.

    UsageError for a temperature that is not above 0 or a ``top_k`` below 1.
    """
    if not 0 < temperature < float("inf"):
        raise UsageError(f"A temperature is a number above 0; got {temperature!r}. For the likeliest token, top_k=1.")
    choose = drawing(Sampling(temperature, top_k), seed, [(number,) for number in numbers], [[] for _ in numbers])
    return draw(step, state, len(numbers), max_tokens, begin, end, choose)


def drawing(
    sampling: Sampling, seed: int, numbers: Sequence[tuple[int, ...]], before: Sequence[list[int]]
) -> Choose:
    """A choice of tokens at random.

    ``numbers`` name the sources for their draws, ``before`` holds the tokens before each and grows with what is drawn.
    """

    def choose(log_probs: Tensor, rows: Tensor, position: int) -> Tensor:
        sources = rows.tolist()
        read = [before[source] for source in sources]
        if sampling.temperature == 0:
            tokens = sampling.best(log_probs, read)
        else:
            noise = np.stack([
                stream(seed, "sampling", *numbers[source], position).gumbel(size=log_probs.shape[1])
                for source in sources
            ])
            tokens = likeliest(sampling.filtered(log_probs, read) + torch.from_numpy(noise))
        for source, token in zip(sources, tokens.tolist(), strict=True):
            before[source].append(token)
        return tokens

    return choose


def draw(
    step: Step, state: State, sources: int, max_tokens: Tensor, begin: int, end: int, choose: Choose,
) -> list[Hypothesis]:
    """One token after the other of each source, by ``choose``, from its ``begin`` to its end."""
    totals = torch.zeros(sources, dtype=torch.float64)
    written: list[list[int]] = [[] for _ in range(sources)]
    for rows, tokens, log_probs in going_on(step, state, torch.full((sources,), begin), max_tokens, end, choose):
        totals[rows] += log_probs
        for source, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            if token != end:
                written[source].append(token)
    return [
        Hypothesis(tokens, float(total), float(total) / (len(tokens) + 1))
        for tokens, total in zip(written, totals, strict=True)
    ]


def going_on(
    step: Step, state: State, last: Tensor, max_tokens: Tensor, end: int, choose: Choose
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """What is written after the tokens ``last`` (sources,), as it comes: sources (M,), their next tokens and the
    log-probabilities of these.

    A source is done with its ``end``, which is what its last token of ``max_tokens (sources,)`` is made.
    """
    alive, most = torch.arange(len(last)), max_tokens.tolist()
    for position in range(max(most)):
        log_probs, state = step(last, state)
        last = choose(log_probs, alive, position)
        if spent := [row for row, source in enumerate(alive.tolist()) if most[source] == position + 1]:
            last[spent] = end
        yield alive, last, log_probs.gather(1, last[:, None])[:, 0]
        going = [row for row, token in enumerate(last.tolist()) if token != end]
        if not going:
            return
        if len(going) < len(last):
            kept = torch.tensor(going)
            state, alive, last = state.reorder(kept, 1), alive[kept], last[kept]
