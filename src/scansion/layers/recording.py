"""Attention is seen by opening a block.

Inside ``with recorded(model) as maps:`` every layer that attends keeps its weights; nothing is threaded through
``forward``, and nothing is left behind.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


class Attending(nn.Module):
    """A layer that weighs positions; ``record`` takes the weights of each call while someone is looking."""

    def __init__(self) -> None:
        super().__init__()
        self.record: list[Tensor] | None = None


@contextmanager
def recorded(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """The weights of each call in the block, by the layer's name; as the layer makes them, (B, H, L, S) or (B, S)."""
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, Attending)}
    maps: dict[str, list[Tensor]] = {name: [] for name in layers}
    for name, layer in layers.items():
        layer.record = maps[name]
    try:
        yield maps
    finally:
        for layer in layers.values():
            layer.record = None
