"""AdamW (Loshchilov and Hutter 2019), in one kernel, and its lazy form for word tables.

    m = b1 m + (1 - b1) g,    v = b2 v + (1 - b2) g^2,    x = x - rate * m' / (sqrt(v') + e),    b1 = 0.9, b2 = 0.999

with m' = m / (1 - b1^t) and v' = v / (1 - b2^t).  A batch reads few of a table's rows, and only those are moved, so
that a step costs what its batch costs and not what the vocabulary would.  A rare word is then no longer carried on for
many steps by the momentum of one; ``TABLE_LR_SCALE`` makes up for it.  Weights that have an ``lr_scale`` move at that
multiple of the learning rate: pretrained ones, the lower the slower (Howard and Ruder 2018, section 3.2).  Matrices for
which a family says so are moved by :mod:`scansion.learning.muon`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from scansion.errors import DivergedError
from scansion.layers.lr_scale import lr_scale_of
from scansion.layers.orthogonal import orthogonal_parts
from scansion.learning.muon import OrthogonalWeights

TABLE_LR_SCALE = 3.0  # a table's learning rate, as a multiple of the others', unless it has one of their own
MEAN_DECAY, SQUARE_DECAY, SMALLEST_ROOT = 0.9, 0.999, 1e-8
RUNNING = ("mean", "square")
NUMBERS = 2  # a step's loss and progress
NUMBERS_AT_A_TIME = 65_536  # of a table's rows: they and their running means fit a processor's cache


def tables_of(model: nn.Module) -> list[nn.Parameter]:
    """The weights (V, D) whose gradients are sparse: a row a word."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Embedding | nn.EmbeddingBag)]
    return [cast(nn.Parameter, layer.weight) for layer in layers if layer.sparse]


def others_of(model: nn.Module) -> list[nn.Parameter]:
    """All other weights."""
    tables = {id(table) for table in tables_of(model)}
    return [parameter for parameter in model.parameters() if id(parameter) not in tables]


def rows_of(table: nn.Parameter) -> tuple[Tensor, Tensor]:
    """The rows (R,) of a table (V, D) that were read since the last step, and their gradients (R, D)."""
    if table.grad is None:
        return torch.zeros(0, dtype=torch.int64), table.new_zeros(0, table.shape[1])
    gradient = table.grad.coalesce()
    return gradient.indices()[0], gradient.values()


class Optimizer:
    """``zero_grad``, then backward, then ``step``.

    ``flat`` holds all gradients but those of tables in one row, so that processes can send them as they are; behind
    them is room for the ``NUMBERS`` that travel along.
    """

    def __init__(self, model: nn.Module, weight_decay: float, max_grad_norm: float) -> None:
        self.max_grad_norm = max_grad_norm
        self.tables = [EmbeddingTable(weights) for weights in tables_of(model)]
        self.others = others_of(model)
        self.flat = torch.zeros(sum(each.numel() for each in self.others) + NUMBERS)
        gradients = self.flat[:-NUMBERS].split([each.numel() for each in self.others])
        for parameter, gradient in zip(self.others, gradients, strict=True):
            parameter.grad = gradient.view_as(parameter)
        kinds = {each: (lr_scale_of(each), weight_decay if each.ndim > 1 else 0.0) for each in self.others}
        orthogonal = {kind: [each for each in self.others if kinds[each] == kind and orthogonal_parts(each)]
                      for kind in kinds.values()}
        usual = {kind: [each for each in self.others if kinds[each] == kind and not orthogonal_parts(each)]
                 for kind in kinds.values()}
        # biases and norms do not decay, and a word would only when it is met
        self.dense: list[tuple[tuple[float, float], DenseWeights | OrthogonalWeights]] = [
            *((kind, DenseWeights(weights)) for kind, weights in usual.items() if weights),
            *((kind, OrthogonalWeights(weights)) for kind, weights in orthogonal.items() if weights),
        ]

    def zero_grad(self) -> None:
        """Forget the last step's gradients."""
        self.flat.zero_()
        for table in self.tables:
            table.weights.grad = None

    def step(self, learning_rate: float) -> None:
        """Move the weights along the gradients, which are scaled to a common length of at most ``max_grad_norm``.

        DivergedError, before any weight has moved, for gradients that are not finite.
        """
        touched = [rows_of(table.weights) for table in self.tables]
        gradients = [parameter.grad for parameter in self.others if parameter.grad is not None]
        gradients += [values for _, values in touched]
        length = torch.stack(torch._foreach_norm(gradients)).norm()
        if not torch.isfinite(length):
            raise DivergedError("The gradient is not finite although the loss is. Lower the learning rate.")
        everything = [self.flat, *(values for _, values in touched)]
        torch._foreach_mul_(everything, (self.max_grad_norm / (length + 1e-6)).clamp(max=1.0))
        for (lr_scale, weight_decay), weights in self.dense:
            weights.step(lr_scale * learning_rate, weight_decay)
        for table, (rows, values) in zip(self.tables, touched, strict=True):
            table.step(rows, values, lr_scale_of(table.weights, TABLE_LR_SCALE) * learning_rate)

    def state(self) -> dict[str, np.ndarray]:
        """The running means of all gradients; with the number of steps, all there is to know."""
        found = dict(self._moments())
        for number, table in enumerate(self.tables):
            found[f"table_mean.{number}"], found[f"table_square.{number}"] = table.means, table.squares
        return {name: tensor.numpy() for name, tensor in found.items()}

    def restore(self, state: Mapping[str, np.ndarray], steps: int) -> None:
        """The inverse of :meth:`state`, after so many steps."""
        for name, running in self._moments():
            running.copy_(torch.from_numpy(state[name]))
        for _, weights in self.dense:
            weights.taken(steps)
        for number, table in enumerate(self.tables):
            table.means = torch.from_numpy(state[f"table_mean.{number}"])
            table.squares = torch.from_numpy(state[f"table_square.{number}"])
            table.steps = steps

    def _moments(self) -> Iterator[tuple[str, Tensor]]:
        """The running means of all weights but those of tables, by name."""
        running = {parameter: some for _, each in self.dense for parameter, some in each.moments()}
        for number, parameter in enumerate(self.others):
            yield from ((f"{kind}.{number}", each) for kind, each in zip(RUNNING, running[parameter], strict=False))


def adam(
    weights: list[Tensor], gradients: list[Tensor], means: list[Tensor], squares: list[Tensor], steps: list[Tensor],
    learning_rate: float, weight_decay: float,
) -> None:
    """Move weights and the running means of their gradients in place, in one pass over each.

    The kernel is that of ``torch.optim.AdamW(fused=True)``; the class around it would import ``torch._dynamo``, which
    takes as long as all the rest of torch.
    """
    torch._fused_adamw_(
        weights, gradients, means, squares, [], steps, lr=learning_rate, beta1=MEAN_DECAY, beta2=SQUARE_DECAY,
        weight_decay=weight_decay, eps=SMALLEST_ROOT, amsgrad=False, maximize=False,
    )


class DenseWeights:
    """Weights that are moved alike, and the running means of their gradients."""

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        self.weights: list[Tensor] = list(weights)
        self.means, self.squares = ([torch.zeros_like(each) for each in weights] for _ in range(2))
        self.steps = [torch.zeros(()) for _ in weights]  # the kernel counts for each of them

    def moments(self) -> Iterator[tuple[Tensor, tuple[Tensor, Tensor]]]:
        """Each parameter with the running means of its gradient and of its square."""
        return zip(self.weights, zip(self.means, self.squares, strict=True), strict=True)

    def taken(self, steps: int) -> None:
        """So many steps were taken before."""
        self.steps = [torch.full_like(each, steps) for each in self.steps]

    @torch.no_grad()
    def step(self, learning_rate: float, weight_decay: float) -> None:
        """Move all of them."""
        gradients = [cast(Tensor, each.grad) for each in self.weights]
        torch._foreach_add_(self.steps, 1)
        adam(self.weights, gradients, self.means, self.squares, self.steps, learning_rate, weight_decay)


class EmbeddingTable:
    """One word table, (V, D), and the running means of its gradients."""

    def __init__(self, weights: nn.Parameter) -> None:
        self.weights = weights
        self.means, self.squares = torch.zeros_like(weights), torch.zeros_like(weights)
        self.steps = 0

    @torch.no_grad()
    def step(self, rows: Tensor, gradient: Tensor, learning_rate: float) -> None:
        """Move the given rows."""
        self.steps += 1
        step = torch.tensor(float(self.steps))
        some = max(1, NUMBERS_AT_A_TIME // gradient.shape[1])
        everything = [self.weights.detach(), self.means, self.squares]
        for which, along in zip(rows.split(some), gradient.split(some), strict=True):
            # index_select and index_copy_ are twice as fast as indexing
            weights, means, squares = moved = [each.index_select(0, which) for each in everything]
            adam([weights], [along], [means], [squares], [step], learning_rate, 0.0)
            for each, rows_of_it in zip(everything, moved, strict=True):
                each.index_copy_(0, which, rows_of_it)
