"""How far a gradient reaches: norms of Jacobians, and what lies on the way, counted on the graph of autograd itself."""

from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scansion.text.batches import FIRST_WORD

TANH, RELU, ATTENTION = ("Tanh",), ("Relu",), ("ScaledDotProduct",)
GATED = ("Tanh", "Sigmoid", "Mul")
"""An LSTM's: a product of a gate and a state is as nonlinear as a squashing function."""


def jacobian_norms(read: Callable[[Tensor], Tensor], inputs: Tensor) -> NDArray:
    """The Frobenius norm of d read(x)[-1] / d x_t for every position t: inputs (L, D) -> (L,).

    ``read`` takes (B, L, D) and gives (B, L, E).  One backward pass does it: the same text E times in a batch, one
    component of the last vector each.
    """
    size = read(inputs[None]).shape[2]
    copies = inputs.detach().expand(size, *inputs.shape).clone().requires_grad_()
    last = read(copies)[:, -1]  # (E, E)
    (slopes,) = torch.autograd.grad(last.diagonal().sum(), copies)  # (E, L, D)
    return slopes.square().sum(dim=(0, 2)).sqrt().numpy()


def recurrent_reach(encoder: Any, inputs: Tensor) -> NDArray:
    """Of the last state, read from left to right, with respect to the words at distances 0 .. L - 1.

    As shares of the nearest word's; ``inputs`` are the word vectors (L, D).
    """
    norms = jacobian_norms(lambda vectors: encoder.states.forwards(vectors)[0], inputs)[::-1]
    return norms / norms[0]


def attention_reach(encoder: Any, inputs: Tensor) -> NDArray:
    """The same of a Transformer's last vector, as shares of the word before it: at 0 is the word itself."""
    mask = torch.ones(1, len(inputs), dtype=torch.bool)
    norms = jacobian_norms(lambda vectors: encoder.read(vectors, mask.expand(len(vectors), -1)), inputs)[::-1]
    return norms / norms[1]


def embedded(encoder: Any, words: int) -> Tensor:
    """The word vectors of so many words, the first of the vocabulary: (L, D)."""
    return encoder.embedding(FIRST_WORD + torch.arange(words)[None])[0].detach()


def steps_between(output: Tensor, source: Tensor, operations: tuple[str, ...]) -> tuple[int, int]:
    """How many of the ``operations`` lie on a way through the graph from ``output`` to ``source``: fewest and most.

    The library's kernels that do a whole layer at once are one operation; in double precision there are none.
    """
    end = torch.autograd.graph.get_gradient_edge(source).node
    counts: dict[Any, tuple[int, int]] = {end: (0, 0)}
    for node in _from_source(output.grad_fn, end):
        before = [counts[each] for each, _ in node.next_functions if each in counts]
        own = node.name().startswith(operations)
        counts[node] = min(fewest for fewest, _ in before) + own, max(most for _, most in before) + own
    return counts[output.grad_fn]


def _from_source(node: Any, end: Any) -> list[Any]:
    """The operations that depend on the end, those that others are made of first."""
    depends, done, found, stack = {end}, set(), [], [(node, False)]
    while stack:
        here, ready = stack.pop()
        if ready:
            if here is not end and any(each in depends for each, _ in here.next_functions):
                depends.add(here)
                found.append(here)
        elif here not in done:
            done.add(here)
            stack += [(here, True), *((each, False) for each, _ in here.next_functions if each is not None)]
    return found


@torch.no_grad()
def set_forget_bias(layer: Any, bias: float) -> None:
    """The forget gate's bias, the second quarter of an LSTM's; torch adds two of them."""
    hidden = layer.hidden_size
    layer.bias_ih_l0[hidden : 2 * hidden] = bias
    layer.bias_hh_l0[hidden : 2 * hidden] = 0.0


@torch.no_grad()
def set_spectral_radius(layer: Any, radius: float) -> None:
    """State to state a rotation times ``radius``, every eigenvalue as large; word to state another one, and no bias."""
    nn.init.orthogonal_(layer.weight_hh_l0, radius)
    nn.init.orthogonal_(layer.weight_ih_l0)
    for bias in (layer.bias_ih_l0, layer.bias_hh_l0):
        nn.init.zeros_(bias)
