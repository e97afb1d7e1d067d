"""The n-grams of a stream of tokens: numbered order by order, counted, and found again.

An n-gram is the number of its first n - 1 tokens, among the n-grams of the order below, and its last token.  In one
integer, ``number * V + token``, those of an order are a sorted array, in which the continuations of a context lie side
by side.  Numbers in order are sorted in a few nanoseconds each where an index of them takes ten times as long, so a
place is carried along in the low bits of what is sorted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scansion.spill import Flat, Growing

TOKENS_AT_A_TIME = 1 << 23
"""Of the stream, which need not fit into memory; the distinct n-grams must."""
KEYS_AT_A_TIME = 1 << 20
NONE = -1
"""The number of what is no n-gram of an order."""


@dataclass(frozen=True, eq=False)
class CountedOrder:
    """The distinct n-grams of one order, sorted."""

    keys: NDArray  # (n,) int64
    counts: NDArray  # (n,) int64
    suffixes: NDArray  # (n,) int64
    """The number of each without its first token, in the order below; for a single token 0."""
    begins: NDArray  # (n,) bool
    """Whether it starts with the beginning of a document."""


def count_ngrams(stream: Flat, vocab_size: int, begin: int, order: int) -> list[CountedOrder]:
    """The n-grams of orders 1 to ``order`` inside documents, each of which opens with the token ``begin``.

    Every token of the vocabulary is counted as a single one, those that do not occur 0 times.
    """
    tokens = np.zeros(vocab_size, np.int64)
    for first in range(0, len(stream), TOKENS_AT_A_TIME):
        tokens += np.bincount(stream[first : first + TOKENS_AT_A_TIME], minlength=vocab_size)
    numbers = np.arange(vocab_size)
    found = [CountedOrder(numbers, tokens, np.zeros(vocab_size, np.int64), numbers == begin)]
    ending: Flat = stream  # the number of the n-gram of the last order that ends at each place
    for n in range(2, order + 1):
        keys, counts = _distinct(stream, ending, vocab_size, begin)
        contexts, last = np.divmod(keys, vocab_size)
        below = found[-1]
        suffixes = find(below.keys, below.suffixes[contexts] * vocab_size + last) if n > 2 else last
        found.append(CountedOrder(keys, counts, suffixes, below.begins[contexts]))
        if n < order:
            ending = _ending(stream, ending, keys, vocab_size, begin)
    return found


def find(keys: NDArray, wanted: NDArray) -> NDArray:
    """Where each of the ``wanted`` (N,) stands among the sorted ``keys``; NONE for those that do not, (N,) int64."""
    places = np.full(len(wanted), NONE, np.int64)
    if not len(keys):
        return places
    for first in range(0, len(wanted), KEYS_AT_A_TIME):
        part = wanted[first : first + KEYS_AT_A_TIME]
        ordered, order = sorted_with_places(part)
        there = np.minimum(np.searchsorted(keys, ordered), len(keys) - 1)
        places[first + order] = np.where(keys[there] == ordered, there, NONE)
    return places


def sorted_with_places(keys: NDArray) -> tuple[NDArray, NDArray]:
    """The keys (N,), all of them at least -1, in order, and the place of each before."""
    bits = max(1, len(keys) - 1).bit_length()
    if int(keys.max(initial=0)) + 1 >= 1 << (63 - bits):
        order = np.argsort(keys)
        return keys[order], order
    packed = np.sort((keys + 1 << bits) | np.arange(len(keys)))
    return (packed >> bits) - 1, packed & ((1 << bits) - 1)


def _keys(stream: Flat, ending: Flat, first: int, vocab_size: int, begin: int) -> NDArray:
    """The key of the n-gram that ends at each place of the stream's part from ``first``; NONE if there is none."""
    last = min(first + TOKENS_AT_A_TIME, len(stream))
    tokens, contexts = stream[first:last].astype(np.int64), np.full(last - first, NONE, np.int64)
    contexts[first == 0 :] = ending[max(0, first - 1) : last - 1]
    return np.where((contexts >= 0) & (tokens != begin), contexts * vocab_size + tokens, NONE)


def _distinct(stream: Flat, ending: Flat, vocab_size: int, begin: int) -> tuple[NDArray, NDArray]:
    """The keys of one order, sorted, and how often each occurs."""
    merged, waiting, size = (np.zeros(0, np.int64), np.zeros(0, np.int64)), [], 0
    for first in range(0, len(stream), TOKENS_AT_A_TIME):
        keys = _keys(stream, ending, first, vocab_size, begin)
        ordered = np.sort(keys[keys >= 0])
        new = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
        waiting.append((ordered[new], np.diff(new, append=len(ordered))))
        size += len(new)
        if size > len(merged[0]):  # so that what is there already is not read again for every part
            merged, waiting, size = _merged([merged, *waiting]), [], 0
    return _merged([merged, *waiting]) if waiting else merged


def _merged(parts: list[tuple[NDArray, NDArray]]) -> tuple[NDArray, NDArray]:
    parts = [part for part in parts if len(part[0])] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    keys, counts = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")  # runs that are sorted already are merged
    keys, counts = keys[order], counts[order]
    new = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[new], np.add.reduceat(counts, new)


def _ending(stream: Flat, ending: Flat, keys: NDArray, vocab_size: int, begin: int) -> Flat:
    """The number of the n-gram that ends at each place of the stream."""
    numbers = Growing(np.int32 if len(keys) < 1 << 31 else np.int64)
    for first in range(0, len(stream), TOKENS_AT_A_TIME):
        numbers.append(find(keys, _keys(stream, ending, first, vocab_size, begin)))
    return numbers.done()
