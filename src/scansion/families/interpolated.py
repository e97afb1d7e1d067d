"""N-grams and a network as one language model: their probabilities, weighed (Jelinek and Mercer 1980).

    p(w | h) = u p_network(w | h) + (1 - u) p_counted(w | h),      0 <= u <= 1

The one weight u makes text likeliest that neither part has learned from (expectation maximisation, Dempster et al.
1977: u is replaced by the mean share of the network in what is foretold, until it stays).  Counts know what was
written before to the letter, a network what is like it; each is sure where the other is not.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from scansion.errors import UsageError, did_you_mean
from scansion.families.kneser_ney import KneserNey
from scansion.families.language_networks import NETWORKS
from scansion.storage.schema import OneOf

ROUNDS, STAYS = 1_000, 1e-6


@dataclass(frozen=True)
class Interpolated:
    """The n-grams' ``order``, and a ``network``: its name or its configuration."""

    order: int = 6
    network: Annotated[Any, OneOf(NETWORKS)] = "transformer"

    learner: ClassVar[str] = "interpolated"

    def __post_init__(self) -> None:
        if isinstance(self.network, str):
            if self.network not in NETWORKS:
                raise UsageError(f"There is no network {self.network!r}{did_you_mean(self.network, NETWORKS)}")
            object.__setattr__(self, "network", NETWORKS[self.network]())
        if NETWORKS.name_of(type(self.network)) is None:
            raise UsageError(f"A network is {', '.join(NETWORKS)} or a configuration of one; got {self.network!r}.")
        KneserNey(self.order)

    @property
    def counted(self) -> KneserNey:
        """The other part."""
        return KneserNey(self.order)


def weight_of_first(first: NDArray, second: NDArray) -> float:
    """The weight in [0, 1] of the first of two models that makes tokens likeliest, from their log-probabilities (N,).

    The likelihood has one maximum; without a token the weight is a half.
    """
    weight = 0.5
    with np.errstate(over="ignore", invalid="ignore"):
        odds = np.exp(second - first)  # infinite where the first rules a token out
    for _ in range(ROUNDS if len(first) else 0):
        with np.errstate(divide="ignore", over="ignore"):
            found = float(np.mean(1 / (1 + odds * ((1 - weight) / weight))))
        if abs(found - weight) < STAYS:
            break
        weight = found
    return weight
