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


def most_tokens(lengths: Tensor, longest: int | None) -> Tensor:
    """How many tokens may be written for sources of the given lengths (N,), the end included."""
    most = TIMES_AS_LONG * lengths + MORE_TOKENS
    return most if longest is None else most.clamp(max=longest)


def beam_search(
    step: Step,
    state: State,
    sources: int,
    beam: int,
    most: Tensor,
    begin: int,
    end: int,
    penalty: float = LENGTH_PENALTY,
) -> list[list[Hypothesis]]:
    """The ``beam`` best hypotheses of each source, best first.

    ``most (sources,)`` is how many tokens each may have, its end included; what is longer is ended there.
    """
    found: list[list[Hypothesis]] = [[] for _ in range(sources)]
    alive = torch.arange(sources)
    scores = torch.zeros(sources, 1)  # all beginnings are alike, so the first step is taken once
    written = torch.empty((sources, 0), dtype=torch.int64)
    last = torch.full((sources,), begin)
    for length in range(1, int(most.max()) + 1):
        chances, state = step(last, state)
        final = most[alive] == length
        if final.any():
            chances = _only_the_end(chances, final.repeat_interleave(scores.shape[1]), end)
        # the 2K best of each hypothesis hold the 2K best of all: half of them may be ends
        best, tokens = (_widened(each, 2 * beam) for each in largest(chances, min(2 * beam, chances.shape[1])))
        totals = (scores.view(-1, 1) + best).view(len(alive), -1)
        totals, places = totals.topk(2 * beam, dim=1)
        origins = places // best.shape[1] + scores.shape[1] * torch.arange(len(alive))[:, None]  # rows of written
        tokens = tokens.view(len(alive), -1).gather(1, places)
        ends = (tokens == end) & totals.isfinite()
        going = ~ends & totals.isfinite()
        _collect(found, alive, ends[:, :beam], totals, origins, written, length, penalty)
        unfinished = torch.tensor([len(found[source]) < beam for source in alive.tolist()]) & ~final
        if not unfinished.any():
            break
        order = (~going).int().sort(dim=1, stable=True).indices[:, :beam]  # unfinished ones first, best first
        if scores.shape[1] == beam:
            order = order.gather(1, staying(places.gather(1, order) // best.shape[1]))
        scores = totals.gather(1, order).masked_fill(~going.gather(1, order), float("-inf"))[unfinished]
        rows = origins.gather(1, order)[unfinished].view(-1)
        last = tokens.gather(1, order)[unfinished].view(-1)
        state = state.select(rows, beam)
        written = torch.cat([written[rows], last[:, None]], dim=1)
        alive = alive[unfinished]
    return [sorted(each, key=lambda hypothesis: -hypothesis.score)[:beam] for each in found]


def largest(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` largest of each row of scores (N, V), best first, and where they stand: both (N, count).

    They lie in the ``count`` groups of columns with the largest maxima, so that only those are sorted: the maxima take
    one pass over the scores, while ``topk`` over all of them would take most of the time of a step.
    """
    width = isqrt(scores.shape[1])
    groups = scores.shape[1] // width
    if count >= groups:
        return scores.topk(count, dim=1)
    peaks = scores[:, : groups * width].unflatten(1, (groups, width)).amax(dim=2)
    columns = width * peaks.topk(count, dim=1).indices[:, :, None] + torch.arange(width)  # (N, count, width)
    rest = torch.arange(groups * width, scores.shape[1]).expand(len(scores), -1)  # what is left over by the groups
    columns = torch.cat([columns.flatten(1), rest], dim=1)
    found, places = scores.gather(1, columns).topk(count, dim=1)
    return found, columns.gather(1, places)


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


def _widened(found: Tensor, width: int) -> Tensor:
    """(N, V) -> (N, width): a vocabulary that is smaller has no more to offer."""
    missing = width - found.shape[1]
    impossible = float("-inf") if found.is_floating_point() else 0
    return functional.pad(found, (0, missing), value=impossible) if missing else found


def _only_the_end(chances: Tensor, rows: Tensor, end: int) -> Tensor:
    """These rows may do nothing but end, at the price that has."""
    ended = torch.full_like(chances, float("-inf"))
    ended[:, end] = chances[:, end]
    return torch.where(rows[:, None], ended, chances)


def _collect(
    found: list[list[Hypothesis]], alive: Tensor, ends: Tensor, totals: Tensor, origins: Tensor, written: Tensor,
    length: int, penalty: float,
) -> None:
    for row, column in ends.nonzero().tolist():
        total = float(totals[row, column])
        tokens = written[origins[row, column]].tolist()
        found[int(alive[row])].append(Hypothesis(tokens, total, total / length**penalty))
