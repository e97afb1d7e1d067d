"""Two parts of a network that do not need each other, at once: each on a thread of its own, forwards and backwards.

Small products are not worth sharing between threads, but two of them can be worked out beside each other.  The numbers
are the same as of one part after the other.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from scansion.memory import pool_of

T = TypeVar("T")


@cache
def _other(process: int) -> Executor:
    """One thread, there from its first use on; a process that was forked has lost that of the one before."""
    return pool_of(1)


class _Spare(threading.local):
    """How many parts this thread may have worked out beside each other."""

    threads = 1


_SPARE = _Spare()


@contextmanager
def threads_to_spare(threads: int) -> Iterator[None]:
    """In the block this thread may have so many parts worked out beside each other."""
    before, _SPARE.threads = _SPARE.threads, threads
    try:
        yield
    finally:
        _SPARE.threads = before


def at_once(first: nn.Module, one: Tensor, second: nn.Module, other: Tensor) -> tuple[Tensor, Tensor]:
    """first(one), second(other), the states of two recurrent layers (B, L, H); in turn without gradients."""
    if _SPARE.threads < 2 or not torch.is_grad_enabled():
        return first(one)[0], second(other)[0]
    return _AtOnce.apply((first, second), one, other, *first.parameters(), *second.parameters())


def _both(work: Callable[[int], T]) -> list[T]:
    """``work`` of 0 and 1, the latter on the other thread."""
    there = _other(os.getpid()).submit(work, 1)
    here = work(0)
    return [here, there.result()]


class _AtOnce(torch.autograd.Function):
    """Each part has a graph of its own, which its thread goes back through."""

    @staticmethod
    def forward(context: Any, layers: tuple[nn.Module, nn.Module], *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs = [each.detach().requires_grad_(each.requires_grad) for each in tensors[:2]]

        def made(which: int) -> Tensor:
            with torch.enable_grad():
                return layers[which](inputs[which])[0]

        context.layers, context.inputs, context.made = layers, inputs, _both(made)
        return tuple(each.detach() for each in context.made)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        def found(which: int) -> list[Tensor | None]:
            parts = [context.inputs[which], *context.layers[which].parameters()]
            trained = [each for each in parts if each.requires_grad]
            slopes = iter(torch.autograd.grad(context.made[which], trained, gradients[which]) if trained else ())
            return [next(slopes) if each.requires_grad else None for each in parts]

        (one, *firsts), (other, *seconds) = _both(found)
        return None, one, other, *firsts, *seconds
