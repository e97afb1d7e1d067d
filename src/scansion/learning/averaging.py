"""The mean of a run's weights, in which later ones count more (Shamir and Zhang 2013, section 4).

    mean_t = mean_(t-1) + (h + 1) / (h + t) * (weights_t - mean_(t-1)),     h = max(0, 1 / share - 2)

Half of its mass is younger than about a ``share`` of the steps so far, so one number fits short runs and long ones.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


class Average:
    """Of all weights of a model; with a share of 0 there is none, and the model speaks for itself."""

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
