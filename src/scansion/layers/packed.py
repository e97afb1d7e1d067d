"""Linear layers whose weights stay as they are, laid out the way the processor reads them.

oneDNN, which torch brings along, multiplies by weights that were packed once; its products then take about nine tenths
of the time of those that read a matrix row by row.  torch uses it so when it compiles a model, under the names below.
"""

import copy
import platform

import torch
from torch import Tensor, nn

PROCESSORS = ("x86_64", "AMD64")  # where it was measured
PACKS = (
    platform.machine() in PROCESSORS
    and torch.backends.mkldnn.is_available()
    and all(hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
)


class PackedLinear(nn.Module):
    """What ``linear`` does, (..., D) -> (..., E), without gradients."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self.bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, vectors: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(vectors, self.weight, self.bias, "none", [], "")


def packed(network: nn.Module) -> nn.Module:
    """A twin of a network that shares all but the weights of its linear layers, which it has packed, for reading only.

    The network itself where there is nothing to pack, or where packing is not known to be faster.
    """
    if not PACKS:
        return network
    if type(network) is nn.Linear and network.weight.dtype == torch.float32:
        return PackedLinear(network)
    twin = copy.copy(network)
    twin._modules = {name: None if layer is None else packed(layer) for name, layer in network._modules.items()}
    return twin
