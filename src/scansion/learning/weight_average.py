"""Which weights of a run are kept: those of its best epoch, or the mean of its last ones.

The mean counts later ones more (Shamir and Zhang 2013, section 4):

    mean_t = mean_(t-1) + (h + 1) / (h + t) * (weights_t - mean_(t-1)),     h = max(0, 1 / share - 2)

Half of its mass is younger than about a ``share`` of the steps so far, so one number fits short runs and long ones.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


class WeightAverage:
    """Of all weights of a model; with a share of 0 there is none, and the weights stay what they are."""

    def __init__(self, model: nn.Module, share: float) -> None:
        self.order = max(0.0, 1 / share - 2) if share else 0.0
        self.weights = dict(model.named_parameters()) if share else {}
        self.means = {name: torch.zeros_like(weights) for name, weights in self.weights.items()}

    def add(self, steps: int) -> None:
        """The weights after so many steps join."""
        if self.means:
            weight = (self.order + 1) / (self.order + steps)
            torch._foreach_lerp_(list(self.means.values()), self._now(), weight)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """In the block the model has the mean for its weights."""
        now = [weights.clone() for weights in self._now()]
        for weights, mean in zip(self._now(), self.means.values(), strict=True):
            weights.copy_(mean)
        try:
            yield
        finally:
            for weights, before in zip(self._now(), now, strict=True):
                weights.copy_(before)

    def state(self) -> dict[str, np.ndarray]:
        """All there is to know, beside the number of steps."""
        return {name: mean.numpy() for name, mean in self.means.items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """The inverse of :meth:`state`."""
        for name, mean in self.means.items():
            mean.copy_(torch.from_numpy(state[name]))

    def _now(self) -> list[torch.Tensor]:
        return [weights.detach() for weights in self.weights.values()]


class BestWeights:
    """Keeps the weights of the latest epoch that is not clearly worse than the best one.

    A run that is not overfitting is best at its end, where the learning rate is lowest; small validation sets are too
    noisy to say more than that.  An epoch is clearly worse if its validation error, less its standard error, is above
    the lowest with its own (the rule of Breiman et al. 1984, section 3.4.3, for two uncertain errors).
    """

    def __init__(
        self, model: nn.Module, average: WeightAverage, errors: Callable[[], tuple[np.ndarray, np.ndarray]]
    ) -> None:
        self.model, self.average, self.errors = model, average, errors
        self.lowest, self.allowed, self.epoch = float("inf"), float("inf"), 0
        self.weights: dict[str, np.ndarray] = {}

    def resume(self, weights: dict[str, np.ndarray], epoch: int, lowest: float, allowed: float) -> None:
        """Go on where a run stood."""
        self.weights, self.epoch, self.lowest, self.allowed = weights, epoch, lowest, allowed

    def judge(self, epoch: int) -> tuple[float, bool]:
        """This epoch's validation error, and whether its weights are kept."""
        with self.average.in_place():
            errors, weights = self.errors()
            mean = float(np.average(errors, weights=weights))
            deviation = float(np.sqrt((weights**2 * (errors - mean) ** 2).sum())) / float(weights.sum())
            if mean < self.lowest:
                self.lowest, self.allowed = mean, mean + deviation
            kept = mean - deviation <= self.allowed or not self.weights
            if kept:
                self.epoch, self.weights = epoch, weights_of(self.model)
            return mean, kept


def weights_of(model: nn.Module) -> dict[str, np.ndarray]:
    """A copy of the weights."""
    return {name: tensor.detach().numpy().copy() for name, tensor in model.state_dict().items()}
