"""Two models of the next token as one: their probabilities, weighed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from scansion.models.fitted_language import NextTokenModel
from scansion.spill import Flat

WEIGHT, NETWORK, COUNTED = "weight", "network.", "counted."
"""Under which names, or names that begin so, its arrays are kept."""

States = tuple[object, object]


@dataclass(frozen=True, eq=False)
class Interpolation:
    """See :mod:`scansion.families.interpolated`; ``weight`` is the network's, the other part's is what is left of 1."""

    counted: NextTokenModel
    network: NextTokenModel
    weight: float

    kind: ClassVar[str] = "interpolated"

    @property
    def parameters(self) -> int:
        """Those of both, and the weight."""
        return self.counted.parameters + self.network.parameters + 1

    @property
    def context(self) -> int | None:
        """That of the part which sees more."""
        seen = self.counted.context, self.network.context
        return None if None in seen else max(each for each in seen if each is not None)

    def log_probabilities(self, stream: Flat) -> NDArray:
        """See :meth:`scansion.models.fitted_language.NextTokenModel.log_probabilities`."""
        return weighed(
            self.network.log_probabilities(stream), self.counted.log_probabilities(stream), self.weight
        )

    def start(self, rows: int) -> States:
        """Of both."""
        return self.network.start(rows), self.counted.start(rows)

    def step(self, last: NDArray, state: States) -> tuple[NDArray, States]:
        """See :meth:`scansion.models.fitted_language.NextTokenModel.step`."""
        (first, network), (second, counted) = self.network.step(last, state[0]), self.counted.step(last, state[1])
        return weighed(first, second, self.weight), (network, counted)

    def read(self, rows: Sequence[NDArray]) -> States:
        """The state after tokens (L,) of each document, the first of which is its BEGIN."""
        return self.network.read(rows), self.counted.read(rows)

    def only(self, state: States, rows: NDArray) -> States:
        """The given rows (M,) of a state."""
        return self.network.only(state[0], rows), self.counted.only(state[1], rows)

    def state(self) -> dict[str, NDArray]:
        """The arrays of both, and the weight."""
        found = {WEIGHT: np.array([self.weight])}
        for begin, part in ((NETWORK, self.network), (COUNTED, self.counted)):
            found |= {begin + name: array for name, array in part.state().items()}
        return found


def weighed(first: NDArray, second: NDArray, weight: float) -> NDArray:
    """The logarithm of ``weight exp(first) + (1 - weight) exp(second)``; minus infinity where both are."""
    with np.errstate(divide="ignore"):  # of a weight that is 0 or 1
        shares = np.log([weight, 1 - weight]).astype(first.dtype)
    return np.logaddexp(first + shares[0], second + shares[1])


def parts_of(arrays: Mapping[str, NDArray]) -> tuple[dict[str, NDArray], dict[str, NDArray], float]:
    """The network's arrays, those of the other part and the weight, from :meth:`Interpolation.state`.

    ValueError for arrays that are of neither, and for a weight outside 0 to 1.
    """
    network, counted = (
        {name.removeprefix(begin): array for name, array in arrays.items() if name.startswith(begin)}
        for begin in (NETWORK, COUNTED)
    )
    weight = arrays[WEIGHT]
    if len(network) + len(counted) + 1 != len(arrays) or weight.shape != (1,) or not 0 <= float(weight[0]) <= 1:
        raise ValueError(f"{len(arrays)} arrays are no two models and a weight")
    return network, counted, float(weight[0])
