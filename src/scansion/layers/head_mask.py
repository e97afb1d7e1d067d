"""Attention without some of its heads: what they read is taken away, and no more (Michel et al. 2019, section 2.2).

    MultiHeadAttention(x) = sum over heads of  keep_h * head_h(x) W_h
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from scansion.layers.attention import MultiHeadAttention


def heads_of(model: nn.Module) -> dict[str, int]:
    """How many heads each layer of attention has, by its name, in the order of the network."""
    return {name: layer.heads for name, layer in model.named_modules() if isinstance(layer, MultiHeadAttention)}


@contextmanager
def heads_masked(model: nn.Module, kept: Mapping[str, Tensor]) -> Iterator[None]:
    """In the block each row of a batch has only the heads that ``kept``, layer -> (B, H) of 0 and 1, leaves it."""
    layers = dict(model.named_modules())
    with ExitStack() as hooks:
        for name, keep in kept.items():
            hook = layers[name].output.register_forward_pre_hook(_only(keep))
            hooks.callback(hook.remove)
        yield


def each_head_masked(model: nn.Module, at_a_time: int) -> Iterator[int]:
    """Every head masked in its turn, each in a row of a batch: how many rows there are until the next is asked for."""
    heads = heads_of(model)
    single = [(name, head) for name, count in heads.items() for head in range(count)]
    for begin in range(0, len(single), at_a_time):
        part = single[begin : begin + at_a_time]
        kept = {name: torch.ones(len(part), count) for name, count in heads.items()}
        for row, (name, head) in enumerate(part):
            kept[name][row, head] = 0
        with heads_masked(model, kept):
            yield len(part)


def _only(keep: Tensor):
    def times(_: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
        heads = given[0].unflatten(-1, (keep.shape[1], -1))  # (B, L, H, D/H)
        return ((heads * keep[:, None, :, None]).flatten(2),)

    return times
