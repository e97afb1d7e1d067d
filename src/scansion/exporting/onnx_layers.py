"""The layers of the networks in ONNX's operators; each takes the weights below a name, as torch names them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from scansion.exporting.onnx_graph import Graph

LOWEST = float("-inf")


@dataclass(frozen=True)
class NamedArrays:
    """Arrays by name, of which those below ``prefix`` are looked at."""

    arrays: Mapping[str, np.ndarray]
    prefix: str = ""

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[self.prefix + name]

    def below(self, name: str) -> "NamedArrays":
        """Those of a part."""
        return NamedArrays(self.arrays, f"{self.prefix}{name}.")

    def put(self, graph: Graph, name: str) -> str:
        """One of them, as it is, into a graph."""
        return graph.weight(self.prefix + name, self[name])


def linear(graph: Graph, value: str, weights: NamedArrays, bias: bool = True) -> str:
    """(..., D) -> (..., E)."""
    made = graph.add("MatMul", value, graph.weight(f"{weights.prefix}weight.T", weights["weight"].T))
    return graph.add("Add", made, weights.put(graph, "bias")) if bias else made


def layer_norm(graph: Graph, value: str, weights: NamedArrays, epsilon: float = 1e-5) -> str:
    """(..., D) -> (..., D)."""
    both = weights.put(graph, "weight"), weights.put(graph, "bias")
    return graph.add("LayerNormalization", value, *both, attributes={"axis": -1, "epsilon": epsilon})


ACTIVATIONS: dict[str, Callable[[Graph, str], str]] = {
    "relu": lambda graph, value: graph.add("Relu", value),
    "gelu": lambda graph, value: graph.add("Gelu", value),
    "gelu_new": lambda graph, value: graph.add("Gelu", value, attributes={"approximate": "tanh"}),
    "tanh": lambda graph, value: graph.add("Tanh", value),
    "sigmoid": lambda graph, value: graph.add("Sigmoid", value),
}
"""By the names of both tables of families."""


# Attention


def split(graph: Graph, value: str, heads: int) -> str:
    """(B, L, D) -> (B, H, L, D/H)."""
    width = graph.reshaped(value, 0, 0, heads, -1)
    return graph.add("Transpose", width, attributes={"perm": [0, 2, 1, 3]})


def keys_values(graph: Graph, context: str, weights: NamedArrays, heads: int) -> tuple[str, str]:
    """What of a context (B, S, D) is looked at, (B, H, S, D/H) twice."""
    halves = graph.node(
        "Split", linear(graph, context, weights.below("key_value")), outputs=2,
        attributes={"axis": -1, "num_outputs": 2},
    )
    keys, values = (split(graph, each, heads) for each in halves)
    return keys, values


def attention(
    graph: Graph, queries: str, context: tuple[str, str], weights: NamedArrays, heads: int, hidden: str | None
) -> str:
    """The formula of :mod:`scansion.layers.attention`; ``hidden`` is added to the scores (B, H, L, S)."""
    q, (k, v) = split(graph, linear(graph, queries, weights.below("query")), heads), context
    scale = graph.constant((len(weights["query.weight"]) // heads) ** -0.5)
    turned = graph.add("Transpose", k, attributes={"perm": [0, 1, 3, 2]})
    scores = graph.add("MatMul", graph.add("Mul", q, scale), turned)
    if hidden is not None:
        scores = graph.add("Add", scores, hidden)
    read = graph.add("MatMul", graph.add("Softmax", scores, attributes={"axis": -1}), v)
    beside = graph.reshaped(graph.add("Transpose", read, attributes={"perm": [0, 2, 1, 3]}), 0, 0, -1)
    return linear(graph, beside, weights.below("output"))


def hiding(graph: Graph, mask: str) -> str:
    """What attention adds for a mask (B, S): 0 where it is True and minus infinity elsewhere, (B, 1, 1, S)."""
    found = graph.add("Where", mask, graph.constant(0.0), graph.constant(LOWEST))
    return graph.widened(found, 1, 2)


def feed_forward(graph: Graph, value: str, weights: NamedArrays, activation: str) -> str:
    """Norm first, its input added, (..., D) -> (..., D)."""
    inner = linear(graph, layer_norm(graph, value, weights.below("norm")), weights.below("inner"))
    return graph.add("Add", value, linear(graph, ACTIVATIONS[activation](graph, inner), weights.below("outer")))


def block(graph: Graph, value: str, hidden: str, weights: NamedArrays, heads: int, activation: str = "relu") -> str:
    """The layer of :class:`scansion.families.transformer.TransformerBlock`."""
    looking = layer_norm(graph, value, weights.below("attention_norm"))
    own = weights.below("attention")
    read = attention(graph, looking, keys_values(graph, looking, own, heads), own, heads, hidden)
    return feed_forward(graph, graph.add("Add", value, read), weights.below("feed_forward"), activation)


# Recurrence


class RecurrentOperator(NamedTuple):
    """An operator, where its gates stand among torch's, what it is told, and how many states it carries."""

    operator: str
    gates: tuple[int, ...]
    attributes: Mapping[str, Any]
    states: int


RNN = RecurrentOperator("RNN", (0,), {}, 1)
GRU = RecurrentOperator("GRU", (1, 0, 2), {"linear_before_reset": 1}, 1)
LSTM = RecurrentOperator("LSTM", (0, 3, 1, 2), {}, 2)
RECURRENT: dict[Any, RecurrentOperator] = {
    nn.RNN: RNN, nn.GRU: GRU, nn.LSTM: LSTM, nn.RNNCell: RNN, nn.GRUCell: GRU, nn.LSTMCell: LSTM,
}
"""By torch's layer or cell."""


class Layer(NamedTuple):
    """One recurrent layer or cell: its class and its weights."""

    kind: Any
    weights: NamedArrays
    suffix: str = "_l0"


def recurrent(
    graph: Graph, value: str, layers: tuple[Layer, ...], name: str, lengths: str = "",
    states: tuple[str, ...] = (), direction: str = "forward",
) -> list[str]:
    """Vectors (L, B, D) -> the states of all positions (L, directions, B, H), and the last ones (directions, B, H).

    ``lengths`` (B,) int32 are the rows' own; ``direction`` is ``bidirectional`` for two layers.
    """
    kind = RECURRENT[layers[0].kind]

    def ordered(layer: Layer, part: str) -> np.ndarray:
        array = layer.weights[part + layer.suffix]
        gates = np.split(array, len(kind.gates))
        return np.concatenate([gates[gate] for gate in kind.gates])

    weights = [np.stack([ordered(layer, part) for layer in layers]) for part in ("weight_ih", "weight_hh")]
    biases = [np.concatenate([ordered(layer, "bias_ih"), ordered(layer, "bias_hh")]) for layer in layers]
    hidden = weights[1].shape[2]
    return graph.node(
        kind.operator, value, graph.weight(f"{name}.W", weights[0]), graph.weight(f"{name}.R", weights[1]),
        graph.weight(f"{name}.B", np.stack(biases)), lengths, *states, outputs=1 + kind.states,
        attributes={"direction": direction, "hidden_size": hidden, **kind.attributes},
    )


def both_ways(
    graph: Graph, vectors: str, mask: str, kind: Any, weights: NamedArrays
) -> tuple[str, str]:
    """A :class:`scansion.layers.bidirectional.Bidirectional`: (B, L, D) -> (B, L, 2H), and the last states (B, 2H).

    The operator turns each row around within its own length; the last state of the backward reading is that of the
    first word.
    """
    layers = tuple(Layer(kind, weights.below(side)) for side in ("forwards", "backwards"))
    lengths = graph.over("ReduceSum", graph.cast(mask, np.int32), 1)
    turned = graph.add("Transpose", vectors, attributes={"perm": [1, 0, 2]})
    found = recurrent(graph, turned, layers, weights.prefix.rstrip("."), lengths, direction="bidirectional")
    beside = graph.add("Transpose", found[0], attributes={"perm": [2, 0, 1, 3]})
    last = graph.add("Transpose", found[1], attributes={"perm": [1, 0, 2]})
    return graph.reshaped(beside, 0, 0, -1), graph.reshaped(last, 0, -1)
