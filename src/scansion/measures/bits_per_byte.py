"""Bits per byte: how many bits a language model needs for a byte of raw text, on average; lower is better.

    bits per byte = - sum over tokens of log2 p(token | those before it)  /  bytes of the text in UTF-8

The tokens include the end of every document, and the bytes what ends it.  It is the one figure that may be compared
between units, characters and words: nats and perplexity a token depend on what a token is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from scansion.errors import UsageError
from scansion.measures.intervals import Interval, bootstrap, sampling_variance, seed_variance
from scansion.measures.paired import PairedTest, paired_test_of_values

CONFIDENCE = 0.95


@dataclass(frozen=True)
class LanguageScore:
    """How well documents were foretold, and by which rules it was measured."""

    bits_per_byte: float
    low: float
    """With ``high`` the 95 % interval over documents; both the score itself where there is one document."""
    high: float
    nats_per_token: float
    perplexity: float
    """Of a token."""
    documents: int
    tokens: int
    """With the ends."""
    bytes: int
    signature: str


def language_score(bits: NDArray, sizes: NDArray, tokens: int, signature: str) -> LanguageScore:
    """The score of documents that took so many ``bits`` (N,) for their bytes ``sizes`` (N,)."""
    if not len(bits) or not sizes.sum():
        raise UsageError("There is no text to score. Give at least one document.")
    score, nats = bits_interval([bits], sizes), float(bits.sum() * np.log(2) / tokens)
    with np.errstate(over="ignore"):
        perplexity = float(np.exp(nats))
    return LanguageScore(
        score.score, score.low, score.high, nats, perplexity, len(bits), tokens, int(sizes.sum()), signature
    )


def bits_interval(bits: Sequence[NDArray], sizes: NDArray) -> Interval:
    """The interval of a family's mean score over seeds; ``bits`` has an (N,) for each of them, ``sizes`` are bytes.

    Documents by a BCa bootstrap of the ratio of sums, the same ones for all seeds; seeds as in
    :func:`scansion.measures.intervals.interval_of`.
    """
    by_seed, mean = np.stack(bits), float(sizes.mean())
    score = float(by_seed.sum() / (len(by_seed) * sizes.sum()))
    of_document = by_seed.mean(axis=0)
    moves = (of_document - score * sizes) / mean
    low, high = score, score
    if len(sizes) > 1:
        low, high = bootstrap(
            lambda counts: (counts @ of_document) / np.maximum(counts @ sizes, 1), len(sizes), influence=moves,
            confidence=CONFIDENCE,
        )
    between = seed_variance(by_seed / mean)
    more = float(ndtri((1 + CONFIDENCE) / 2)) * between**0.5
    return Interval(
        score, max(0.0, score - float(np.hypot(score - low, more))), score + float(np.hypot(high - score, more)),
        sampling_variance(moves) ** 0.5, between**0.5,
    )


def paired_bits(first: Sequence[NDArray], second: Sequence[NDArray], sizes: NDArray) -> PairedTest:
    """Whether two families need as many bits on the same documents; each side has an (N,) for each training seed.

    The difference of two such ratios with one denominator is the mean over documents of the differences in bits, each
    by the mean bytes of a document.
    """
    ours, theirs = (np.stack(side) / sizes.mean() for side in (first, second))
    return paired_test_of_values(_distinct(ours), _distinct(theirs), CONFIDENCE)


def _distinct(values: NDArray) -> NDArray:
    """All seeds' values, or one of them when the seed makes no difference."""
    return values[:1] if (values == values[0]).all() else values
