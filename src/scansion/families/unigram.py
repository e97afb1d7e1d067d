"""The baseline of language models: how frequent every token is, whatever stands before it.

    p(w | h) = max(c(w) - D(c(w)), 0) / N + g u(w),      N tokens in all, u(w) what is held of tokens never seen

The discounts D are those of :mod:`scansion.families.kneser_ney`.
"""

from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import NDArray

from scansion.families.kneser_ney import KneserNey
from scansion.layers.backoff_ngrams import BackoffNGrams
from scansion.spill import Flat


@dataclass(frozen=True)
class Unigram:
    """It has no options."""

    learner: ClassVar[str] = "counted"

    def learn(self, stream: Flat, unseen: NDArray, begin: int) -> tuple[BackoffNGrams, tuple[str, ...]]:
        """See :meth:`scansion.families.kneser_ney.KneserNey.learn`."""
        return KneserNey(order=1).learn(stream, unseen, begin)
