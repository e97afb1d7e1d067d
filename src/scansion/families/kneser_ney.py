"""N-grams as a language model: modified Kneser-Ney smoothing, interpolated (Chen and Goodman 1998, section 3).

    p(w | h) = max(c(h w) - D(c(h w)), 0) / sum_v c(h v) + g(h) p(w | h'),      h' = h without its first token
    D(c) = D_1, D_2 or D_3 for c = 1, 2 or more,      D_k = k - (k + 1) Y n_(k+1) / n_k,      Y = n_1 / (n_1 + 2 n_2)

n_k is how many n-grams have the count k, and g(h) makes the sum one.  Of the longest n-grams, and of those that begin a
document, c is how often they occur; of the others, how many different tokens stand before them.  Below the single
tokens stands what is held of tokens that were never seen, the uniform distribution or nearly so.  In small texts,
characters and closed vocabularies one of n_1 .. n_4 can be missing or D lie outside 0 .. k; that order then takes 0.5,
1 and 1.5, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from scansion.errors import UsageError
from scansion.layers.backoff_ngrams import BackoffNGrams, Order
from scansion.layers.ngram_counts import CountedOrder, count_ngrams
from scansion.options import check_whole
from scansion.spill import Flat

FALLBACK = (0.5, 1.0, 1.5)
"""The discounts of an order whose counts of counts do not allow the closed form; KenLM's ``--discount_fallback``."""
LARGEST = 3  # counts from here on share a discount
MOST_ORDER = 16


@dataclass(frozen=True)
class KneserNey:
    """``order`` tokens at most are looked at together, the predicted one included."""

    order: int = 6

    learner: ClassVar[str] = "counted"

    def __post_init__(self) -> None:
        check_whole(self, "order")
        if self.order > MOST_ORDER:
            raise UsageError(f"KneserNey: order must be at most {MOST_ORDER}; got {self.order}.")

    def learn(self, stream: Flat, unseen: NDArray, begin: int) -> tuple[BackoffNGrams, tuple[str, ...]]:
        """What a stream of tokens teaches, and remarks; ``begin`` opens every document.

        ``unseen`` is the probability of every token of the vocabulary (V,) where nothing is known of it; what has none
        is never predicted.  The time is that of sorting the tokens once an order, the memory that of the distinct
        n-grams.
        """
        counted = count_ngrams(stream, len(unseen), begin, self.order)
        remarks: list[str] = []
        orders: list[Order] = []
        below = unseen
        for n, each in enumerate(counted, 1):
            counts = each.counts if n == self.order else adjusted(each, counted[n])
            if n == 1:
                counts = np.where(unseen > 0, counts, 0)
            discounts, reason = discounts_of(counts)
            remarks += [f"order {n}: {reason}; its discounts are {', '.join(map(str, FALLBACK))}"] if reason else []
            below, backoffs = interpolated(each, counts, discounts, below, len(unseen), first=n == 1)
            if orders:
                orders[-1] = replace(orders[-1], backoffs=backoffs)
            orders.append(Order(each.keys, below.astype(np.float32), np.ones(0, np.float32)))
        return BackoffNGrams(len(unseen), begin, tuple(orders)), tuple(remarks)


def adjusted(order: CountedOrder, longer: CountedOrder) -> NDArray:
    """How many different tokens stand before each n-gram (n,); of those that begin a document how often they occur."""
    different = np.bincount(longer.suffixes, minlength=len(order.keys))
    return np.where(order.begins, order.counts, different)


def discounts_of(counts: NDArray) -> tuple[tuple[float, float, float], str]:
    """D_1, D_2 and D_3 from the counts (n,) of an order's n-grams, and why they are the fallback if they are."""
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == k)) for k in (1, 2, 3, 4))
    for k, number in enumerate((n1, n2, n3, n4), 1):
        if not number:
            return FALLBACK, f"no n-gram has the adjusted count {k}"
    share = n1 / (n1 + 2 * n2)
    found = 1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3
    for k, discount in enumerate(found, 1):
        if not 0 <= discount <= k:
            return FALLBACK, f"the discount of count {k} would be {discount:.2f}"
    return found, ""


def interpolated(
    order: CountedOrder, counts: NDArray, discounts: Sequence[float], below: NDArray, vocab_size: int, first: bool
) -> tuple[NDArray, NDArray]:
    """The probabilities of an order's n-grams (n,), and g of the contexts, the n-grams of the order below (m,).

    ``below`` are the probabilities of that order (m,); of the ``first`` order, those of unseen tokens, after the one
    empty context.  Of what nothing follows, g is 1.
    """
    contexts, number = order.keys // vocab_size, 1 if first else len(below)
    taken = np.array([0.0, *discounts])[np.minimum(counts, LARGEST)]
    totals, kept = np.bincount(contexts, counts, number), np.bincount(contexts, taken, number)
    backoffs = np.divide(kept, totals, out=np.ones(number), where=totals > 0)
    shares = (counts - taken) / np.where(totals > 0, totals, 1)[contexts]
    return shares + backoffs[contexts] * (below if first else below[order.suffixes]), backoffs.astype(np.float32)
