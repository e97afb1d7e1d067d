"""Beam search with length normalisation (Wu et al. 2016, section 7; here the score is divided by length ^ penalty).

    score(y) = log p(y | x) / |y|^a,     |y| counts the end

At every step each source keeps its K best unfinished beginnings.  One that ends among the K best candidates is a
finished hypothesis; a source is done with K of them.
"""

from math import isqrt

import torch
from torch import Tensor
from torch.nn import functional

from scansion.decoding.state import Hypothesis, State, Step

BEAM = 5
LENGTH_PENALTY = 1.0
TIMES_AS_LONG, MORE_TOKENS = 2, 10  # how much longer than its source a text may become


def most_tokens(lengths: Tensor, max_length: int | None) -> Tensor:
    """How many tokens may be written for sources of the given lengths (N,), the end included."""
    max_tokens = TIMES_AS_LONG * lengths + MORE_TOKENS
    return max_tokens if max_length is None else max_tokens.clamp(max=max_length)


def beam_search(
    step: Step,
    state: State,
    sources: int,
    beam: int,
    max_tokens: Tensor,
    begin: int,
    end: int,
    penalty: float = LENGTH_PENALTY,
) -> list[list[Hypothesis]]:
    """The ``beam`` best hypotheses of each source, best first.

    ``max_tokens (sources,)`` is how many tokens each may have, its end included; what is longer is ended there.
    """
    found: list[list[Hypothesis]] = [[] for _ in range(sources)]
    alive = torch.arange(sources)
    scores = torch.zeros(sources, 1)  # all beginnings are alike, so the first step is taken once
    written = torch.empty((sources, 0), dtype=torch.int64)
    last = torch.full((sources,), begin)
    for length in range(1, int(max_tokens.max()) + 1):
        log_probs, state = step(last, state)
        final = max_tokens[alive] == length
        if final.any():
            log_probs = _only_the_end(log_probs, final.repeat_interleave(scores.shape[1]), end)
        totals, parents, tokens = continuations(scores, log_probs, 2 * beam)  # half of them may be ends
        origins = parents + scores.shape[1] * torch.arange(len(alive))[:, None]  # rows of written
        ends = (tokens == end) & totals.isfinite()
        going = ~ends & totals.isfinite()
        _collect(found, alive, ends[:, :beam], totals, origins, written, length, penalty)
        unfinished = torch.tensor([len(found[source]) < beam for source in alive.tolist()]) & ~final
        if not unfinished.any():
            break
        order = (~going).int().sort(dim=1, stable=True).indices[:, :beam]  # unfinished ones first, best first
        if scores.shape[1] == beam:
            order = order.gather(1, staying(parents.gather(1, order)))
        scores = totals.gather(1, order).masked_fill(~going.gather(1, order), float("-inf"))[unfinished]
        rows = origins.gather(1, order)[unfinished].view(-1)
        last = tokens.gather(1, order)[unfinished].view(-1)
        state = state.reorder(rows, beam)
        written = torch.cat([written[rows], last[:, None]], dim=1)
        alive = alive[unfinished]
    return [sorted(each, key=lambda hypothesis: -hypothesis.score)[:beam] for each in found]


def continuations(scores: Tensor, log_probs: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The ``count`` best ways to go on with hypotheses of scores (B, K) and next tokens of log-probability (B K, V).

    Their totals, best first, the hypotheses they go on with and the tokens they add, (B, count) each.  They lie in the
    ``count`` groups of columns with the largest maxima, so that only those are sorted: the maxima take one pass over
    the log-probabilities, while ``topk`` over all of them would take most of the time of a step.
    """
    (sources, beam), vocabulary = scores.shape, log_probs.shape[1]
    width = isqrt(vocabulary)
    groups = vocabulary // width
    if groups <= count:
        totals = (scores.view(-1, 1) + log_probs).view(sources, -1)
        if totals.shape[1] < count:  # there are no more ways: let impossible ones fill the rows
            totals = functional.pad(totals, (0, count - totals.shape[1]), value=float("-inf"))
        totals, places = totals.topk(count, dim=1)
        return totals, (places // vocabulary).clamp(max=beam - 1), places % vocabulary
    peaks = log_probs[:, : groups * width].unflatten(1, (groups, width)).amax(dim=2)
    chosen = (scores.view(-1, 1) + peaks).view(sources, -1).topk(count, dim=1).indices  # (B, count)
    left_over = torch.arange(groups * width, vocabulary)  # columns, which are looked at for every hypothesis
    parents = torch.cat([
        (chosen // groups).repeat_interleave(width, dim=1),
        torch.arange(beam).repeat_interleave(len(left_over)).expand(sources, -1),
    ], dim=1)
    tokens = torch.cat([
        ((chosen % groups * width)[:, :, None] + torch.arange(width)).flatten(1),
        left_over.repeat(beam).expand(sources, -1),
    ], dim=1)
    rows = parents + beam * torch.arange(sources)[:, None]
    totals, places = (scores.gather(1, parents) + log_probs.view(-1)[rows * vocabulary + tokens]).topk(count, dim=1)
    return totals, parents.gather(1, places), tokens.gather(1, places)


def staying(parents: Tensor) -> Tensor:
    """An order of hypotheses with the given parents (B, K) in which the first child of each has its parent's place.

    The past of those need not be copied.
    """
    count = parents.shape[1]
    place = torch.arange(count)
    children = parents[:, None, :] == place[:, None]  # (B, place, hypothesis)
    first, lives = children.int().argmax(dim=2), children.any(dim=2)
    # hypothesis k stays if it is its parent's first; the others fill the places that are free, in their order
    stays = first.gather(1, parents) == place
    others = stays.int().sort(dim=1, stable=True).indices
    free = (~lives).cumsum(dim=1) - 1
    return torch.where(lives, first, others.gather(1, free.clamp(min=0)))


def _only_the_end(log_probs: Tensor, rows: Tensor, end: int) -> Tensor:
    """These rows may do nothing but end, at the price that has."""
    ended = torch.full_like(log_probs, float("-inf"))
    ended[:, end] = log_probs[:, end]
    return torch.where(rows[:, None], ended, log_probs)


def _collect(
    found: list[list[Hypothesis]], alive: Tensor, ends: Tensor, totals: Tensor, origins: Tensor, written: Tensor,
    length: int, penalty: float,
) -> None:
    for row, column in ends.nonzero().tolist():
        total = float(totals[row, column])
        tokens = written[origins[row, column]].tolist()
        found[int(alive[row])].append(Hypothesis(tokens, total, total / length**penalty))
