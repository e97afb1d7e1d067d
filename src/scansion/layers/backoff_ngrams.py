"""N-grams as a model of the next token: probabilities by the longest context that was seen (Katz 1987).

    p(w | h) = the one of h w, if that n-gram was seen, else b(h) p(w | h'),      h' = h without its first token

b(h) is 1 if h was never seen.  The form in which all smoothed n-grams can be written, interpolated ones as well, and in
which ARPA files hold them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from scansion.layers.ngram_counts import NONE, find
from scansion.spill import Flat

TOKENS_AT_A_TIME = 1 << 18


@dataclass(frozen=True, eq=False)
class Order:
    """The n-grams of one order: ``keys[i] = context * V + token``, sorted; 16 bytes each."""

    keys: NDArray  # (n,) int64
    probabilities: NDArray  # (n,) float32
    """Of the last token after the others."""
    backoffs: NDArray  # (n,) float32
    """What the probabilities of the order below are multiplied by after it; empty for the longest."""


@dataclass(frozen=True, eq=False)
class BackoffNGrams:
    """N-grams with a probability each, and a weight for what is known only of shorter ones.

    A state is the numbers of the last 1 .. N - 1 tokens as n-grams, (B, N - 1), NONE for those that were never seen.
    """

    vocab_size: int
    begin: int
    orders: tuple[Order, ...]

    kind: ClassVar[str] = "counted"

    @property
    def parameters(self) -> int:
        """Numbers that were estimated: a probability an n-gram and a weight a context."""
        return sum(len(each.probabilities) + len(each.backoffs) for each in self.orders)

    @property
    def context(self) -> int:
        """Tokens that a prediction depends on at most."""
        return len(self.orders) - 1

    def log_probabilities(self, stream: Flat) -> NDArray:
        """The natural logarithm of the probability of every token of a stream, (N,) float64; 0 for ``begin``."""
        found = np.zeros(len(stream))
        for first in range(0, len(stream), TOKENS_AT_A_TIME):
            before = max(0, first - self.context)  # what the first token of this part depends on
            part = np.asarray(stream[before : first + TOKENS_AT_A_TIME], np.int64)
            found[first : first + TOKENS_AT_A_TIME] = self._part(part)[first - before :]
        return found

    def _part(self, tokens: NDArray) -> NDArray:
        opens, first = tokens == self.begin, self.orders[0]
        with np.errstate(divide="ignore"):  # what is never predicted has no logarithm
            found = np.log(first.probabilities[tokens].astype(np.float64))
        ending = tokens  # the number of the n-gram that ends at each place
        for lower, order in zip(self.orders, self.orders[1:], strict=False):
            if not len(order.keys):  # no document was as long
                break
            contexts = np.concatenate([[NONE], ending[:-1]])
            contexts[opens] = NONE
            ending = find(order.keys, np.where(contexts >= 0, contexts * self.vocab_size + tokens, NONE))
            backed = np.log(lower.backoffs[contexts].astype(np.float64))
            with np.errstate(divide="ignore"):
                seen = np.log(order.probabilities[ending].astype(np.float64))
            found = np.where(ending >= 0, seen, np.where(contexts >= 0, found + backed, found))
        return np.where(opens, 0.0, found)

    def start(self, rows: int) -> NDArray:
        """The state of so many documents of which nothing has been read, not even their ``begin``."""
        return np.full((rows, self.context), NONE, np.int64)

    def step(self, last: NDArray, state: NDArray) -> tuple[NDArray, NDArray]:
        """The log-probabilities of what comes after the tokens ``last`` (B,), (B, V) float32, and the state then."""
        after = self.after(last, state)
        with np.errstate(divide="ignore"):
            return np.log(self.probabilities(after)), after

    def read(self, rows: Sequence[NDArray]) -> NDArray:
        """The state after tokens (L,) of each document, the first of which is its ``begin``."""
        state, most = self.start(len(rows)), max(map(len, rows), default=0)
        for left in range(min(self.context, most), 0, -1):
            state = self.after(np.array([row[-left] if len(row) >= left else NONE for row in rows]), state)
        return state

    def after(self, last: NDArray, state: NDArray) -> NDArray:
        """The state after the tokens ``last`` (B,) as well; NONE is none."""
        after = np.full_like(state, NONE)
        for n in range(self.context):
            contexts = state[:, n - 1]
            known = contexts >= 0
            after[:, n] = last if n == 0 else find(
                self.orders[n].keys, np.where(known, contexts * self.vocab_size + last, NONE)
            )
        after[last == self.begin, 1:] = NONE
        return after

    def only(self, state: NDArray, rows: NDArray) -> NDArray:
        """The given rows (M,) of a state."""
        return state[rows]

    def probabilities(self, state: NDArray) -> NDArray:
        """Of every token of the vocabulary after what a state (B, N - 1) holds, (B, V) float32."""
        found = np.repeat(self.orders[0].probabilities[None], len(state), axis=0)
        for n, (lower, order) in enumerate(zip(self.orders, self.orders[1:], strict=False)):
            for row in np.flatnonzero(state[:, n] >= 0):
                context = int(state[row, n])
                begin, end = np.searchsorted(order.keys, [context * self.vocab_size, (context + 1) * self.vocab_size])
                found[row] *= lower.backoffs[context]
                found[row, order.keys[begin:end] - context * self.vocab_size] = order.probabilities[begin:end]
        return found

    def state(self) -> dict[str, NDArray]:
        """The arrays of all orders, by name."""
        return {
            f"{n}.{name}": getattr(order, name)
            for n, order in enumerate(self.orders, 1) for name in ("keys", "probabilities", "backoffs")
        }

    @classmethod
    def restore(cls, vocab_size: int, begin: int, arrays: Mapping[str, NDArray]) -> "BackoffNGrams":
        """The inverse of :meth:`state`. ValueError for arrays that are no such model."""
        orders: list[Order] = []
        while f"{len(orders) + 1}.keys" in arrays:
            n = len(orders) + 1
            orders.append(Order(*(arrays[f"{n}.{name}"] for name in ("keys", "probabilities", "backoffs"))))
        contexts = 1
        for n, order in enumerate(orders, 1):
            keys, size = order.keys, len(order.keys)
            longest = n == len(orders)
            sound = (
                keys.dtype == np.int64 and keys.shape == order.probabilities.shape == (size,)
                and order.probabilities.dtype == order.backoffs.dtype == np.float32
                and order.backoffs.shape == (0 if longest else size,) and (n > 1 or size == vocab_size)
                and (keys[1:] > keys[:-1]).all() and (not size or (keys[0] >= 0 and keys[-1] < contexts * vocab_size))
                and ((order.probabilities >= 0) & (order.probabilities <= 1.0001)).all() and (order.backoffs >= 0).all()
            )
            if not sound:
                raise ValueError(f"the n-grams of order {n} are not in order")
            contexts = size
        if not orders or len(arrays) != 3 * len(orders):
            raise ValueError(f"{len(arrays)} arrays are no model of n-grams")
        return cls(vocab_size, begin, tuple(orders))
