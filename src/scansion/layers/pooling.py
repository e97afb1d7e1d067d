"""Pooling: a vector per position -> a vector per document."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class MeanMaxPooling(nn.Module):
    """The mean and the maximum over real positions, side by side: (B, L, D) -> (B, 2D).

    The mean keeps how much, the maximum keeps whether at all.
    """

    parts = 2

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        # a product and a sum: masked_fill, in either direction, takes several times as long
        real = mask[:, :, None].to(vectors.dtype)
        mean = (vectors * real).sum(dim=1) / real.sum(dim=1)
        highest = (vectors + real.log()).amax(dim=1)  # the logarithms of 1 and 0 are 0 and minus infinity
        return torch.cat([mean, highest], dim=-1)


class ConcatPooling(MeanMaxPooling):
    """Beside these the states in which both directions end: (B, L, D) -> (B, 3D).

        [mean_t h_t ; max_t h_t ; h_T / sqrt(L)]            (Howard and Ruder 2018, section 3.3, but for the root)

    At their full size the last states are what a plain recurrent network learns by heart; over the root of the length
    they stand between a sum and a mean.
    """

    parts = 3

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        half, lengths = vectors.shape[2] // 2, mask.sum(dim=1, keepdim=True)
        onwards = vectors[torch.arange(len(vectors)), lengths[:, 0] - 1, :half]
        ends = torch.cat([onwards, vectors[:, 0, half:]], dim=-1) * lengths.to(vectors.dtype).rsqrt()
        return torch.cat([super().forward(vectors, mask), ends], dim=-1)


class WordSum(nn.Module):
    """What the words of a document say without their order: word vectors (B, L, D) of tokens (B, L) -> (B, D).

        sqrt(D) sum_w sqrt(n_w) v_w / sqrt(sum_w sqrt(n_w)),        n_w: how often the word w stands there

    A word that stands there nine times counts three times, a long document as much as a short one.  Scaled
    up as the paper scales words (Vaswani et al. 2017, section 3.4).
    """

    def forward(self, vectors: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        places = tokens + torch.arange(len(tokens))[:, None] * (int(tokens.max()) + 1)
        _, found, counts = torch.unique(places, return_inverse=True, return_counts=True)
        shares = counts[found].to(vectors.dtype).rsqrt() * mask
        scale = (vectors.shape[2] / shares.sum(dim=1, keepdim=True)).sqrt()
        return scale * (vectors * shares[:, :, None]).sum(dim=1)


# Without anything learned, by the names of sentence-transformers (Reimers and Gurevych 2019, section 3).


def mean_of(vectors: Tensor, mask: Tensor) -> Tensor:
    """Of real positions: (B, L, D), (B, L) -> (B, D)."""
    return (vectors * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def _sum_over_root(vectors: Tensor, mask: Tensor) -> Tensor:
    return (vectors * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).sqrt()


def _later_weigh_more(vectors: Tensor, mask: Tensor) -> Tensor:
    """The position n, counted from one, has the weight n (Muennighoff 2022, section 3.1)."""
    weights = torch.arange(1, mask.shape[1] + 1, device=mask.device) * mask
    return (vectors * weights[:, :, None]).sum(dim=1) / weights.sum(dim=1, keepdim=True)


def _last(vectors: Tensor, mask: Tensor) -> Tensor:
    return vectors[torch.arange(len(vectors), device=mask.device), mask.sum(dim=1) - 1]


POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": mean_of,
    "cls": lambda vectors, mask: vectors[:, 0],
    "max": lambda vectors, mask: vectors.masked_fill(~mask[:, :, None], float("-inf")).amax(dim=1),
    "mean_sqrt_len_tokens": _sum_over_root,
    "weightedmean": _later_weigh_more,
    "lasttoken": _last,
}


def pooled(vectors: Tensor, mask: Tensor, names: tuple[str, ...]) -> Tensor:
    """One or several of these side by side: (B, L, D), (B, L) -> (B, k D)."""
    found = [POOLINGS[name](vectors, mask) for name in names]
    return found[0] if len(found) == 1 else torch.cat(found, dim=-1)
