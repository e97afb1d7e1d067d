"""What reading costs: seconds and bytes of a whole text, forward and backward, and of a stream, a token at a time."""

import os
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from scansion.layers.attention_capture import recorded
from scansion.text.batches import FIRST_WORD


def forward_and_backward(network: nn.Module, length: int, written_out: bool = False) -> tuple[float, int]:
    """Seconds of the processor for one text of an encoder, and the bytes of all tensors kept for the way back.

    ``written_out`` records the weights of attention, which takes the formula in place of the kernel.
    """
    tokens = (FIRST_WORD + torch.arange(length) % 100)[None]
    mask, kept = torch.ones(1, length, dtype=torch.bool), {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    looking: AbstractContextManager[object] = recorded(network) if written_out else nullcontext()
    begun = time.process_time()
    with looking, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        made = network(tokens, mask).square().sum()
    made.backward()
    return time.process_time() - begun, sum(kept.values())


def second_core(network: nn.Module, length: int, repetitions: int) -> list[float]:
    """How many times as fast two threads are as one, in alternation: the best of five each, by the clock.

    What else the cores do goes against it.
    """
    before, ratios = torch.get_num_threads(), []
    for _ in range(repetitions):
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for threads in (1, 2) * 5:
            torch.set_num_threads(threads)
            begun = time.perf_counter()
            forward_and_backward(network, length)
            seconds[threads].append(time.perf_counter() - begun)
        ratios.append(min(seconds[1]) / min(seconds[2]))
    torch.set_num_threads(before)
    return ratios


def busy() -> bool:
    """Whether more wants to run than there are cores."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def exponent(lengths: NDArray, values: NDArray) -> float:
    """The slope of the logarithms over the upper half of the lengths."""
    half = len(lengths) // 2
    return float(np.polyfit(np.log(lengths[half:]), np.log(values[half:]), 1)[0])


@torch.inference_mode()
def next_token(network: Any, read: int, repetitions: int) -> tuple[int, list[float]]:
    """Bytes of what a language model keeps after so many tokens, and milliseconds for the next, the median of ten.

    Of the processor.
    """
    state, last, times = network.state_after([torch.full((read,), FIRST_WORD)]), torch.tensor([FIRST_WORD]), []
    kept = [each.read for each in state.windows] if hasattr(state, "windows") else state.states
    size = sum(each[..., :read, :].nbytes for each in kept)  # without the room for what is yet to come
    for _ in range(10 * repetitions):
        begun = time.process_time()
        _, state = network.step(last, state)
        times.append(1_000 * (time.process_time() - begun))
    return size, [float(np.median(each)) for each in np.array_split(times, repetitions)]
