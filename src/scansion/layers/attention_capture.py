"""Attention is seen by opening a block.

Inside ``with recorded(model) as maps:`` every layer that attends keeps its weights; nothing is threaded through
``forward``, and nothing is left behind.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class AttentionLayer(nn.Module):
    """A layer that weighs positions; ``record`` takes the weights of each call while someone is looking."""

    def __init__(self) -> None:
        super().__init__()
        self.record: list[Tensor] | None = None


@contextmanager
def recorded(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """The weights of each call in the block, by the layer's name; as the layer makes them, (B, H, L, S) or (B, S)."""
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, AttentionLayer)}
    maps: dict[str, list[Tensor]] = {name: [] for name in layers}
    for name, layer in layers.items():
        layer.record = maps[name]
    try:
        yield maps
    finally:
        for layer in layers.values():
            layer.record = None


def private(model: Network) -> Network:
    """The same network for one who looks: it shares every weight, and its hooks and records are its own.

    Others go on predicting with ``model`` in other threads and notice nothing.
    """
    return copy.deepcopy(model, {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}).eval()
