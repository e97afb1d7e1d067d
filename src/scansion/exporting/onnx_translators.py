"""Translators as ONNX: an encoder that reads a source once, and a step that writes one token more.

The encoder takes source (B, S), filled up with 0, and answers with states; the step takes last (B,), the tokens written
last, and these states, and answers with log_probabilities (B, V) of the next token and with the states after.  States
that change have the same name in both, behind ``next.`` in the step's answers.  Who decodes with several hypotheses a
source repeats a source's states.  Tokens that no translation holds have the log-probability minus infinity.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.decoding.beam import MORE_TOKENS, TIMES_AS_LONG
from scansion.errors import UsageError
from scansion.exporting.exported_folder import ExportedFolder, example
from scansion.exporting.onnx_graph import Graph
from scansion.exporting.onnx_layers import (
    LOWEST,
    Layer,
    NamedArrays,
    attention,
    block,
    both_ways,
    feed_forward,
    hiding,
    keys_values,
    layer_norm,
    linear,
    recurrent,
)
from scansion.families.recurrent_encoder_decoder import RecurrentEncoderDecoder
from scansion.families.sequence_to_sequence import SequenceToSequenceNetwork
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoderNetwork
from scansion.learning.weight_average import weights_of
from scansion.models.translation_model import FittedTranslator
from scansion.storage.strict_json import json_bytes
from scansion.text.subword_tokenizer import BEGIN, END, NEVER_WRITTEN, PADDING

ROWS, SOURCE, WRITTEN = "rows", "source_tokens", "written_tokens"
NEXT = "next."
Shape = tuple[str | int, ...]


@dataclass(frozen=True)
class StateTensor:
    """A tensor that the encoder answers with and the step takes."""

    value: str
    shape: Shape
    kind: type = np.float32


@dataclass(frozen=True)
class TwoGraphs:
    """A network in two graphs: how a source is read, and how the vectors (B, D) before the next token are made."""

    encode: Callable[[Graph, Any, NamedArrays, str, str], dict[str, StateTensor]]
    """Graph, network, weights, source, mask -> states by name."""
    step: Callable[[Graph, Any, NamedArrays, str, Mapping[str, str]], tuple[str, dict[str, str]]]
    """Graph, network, weights, last tokens' vectors, states by name -> vectors, and the states after."""


# Recurrent, with attention


def _read(
    graph: Graph, network: RecurrentEncoderDecoder, weights: NamedArrays, source: str, mask: str
) -> dict[str, StateTensor]:
    hidden, words = network.configuration.hidden_size, _embedded(graph, weights, source)
    read, last = both_ways(graph, words, mask, network.configuration.layer, weights.below("encoder"))
    middle = graph.constant([hidden // 2], np.int64)
    backwards = graph.part(last, middle, graph.constant([hidden], np.int64), 1)
    state = graph.add("Tanh", linear(graph, backwards, weights.below("bridge")))
    found = {
        "read": StateTensor(read, (ROWS, SOURCE, hidden)),
        "keys": StateTensor(linear(graph, read, weights.below("attention.context")), (ROWS, SOURCE, hidden)),
        "mask": StateTensor(mask, (ROWS, SOURCE), np.bool_), "state": StateTensor(state, (ROWS, hidden)),
    }
    if network.configuration.states > 1:
        found["memory"] = StateTensor(graph.add("Mul", state, graph.constant(0.0)), (ROWS, hidden))
    return found


def _attend(
    graph: Graph, network: RecurrentEncoderDecoder, weights: NamedArrays, words: str, states: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The formulas of :mod:`scansion.layers.additive_attention` and of the family."""
    looking, names = weights.below("attention"), ("state", "memory")[: network.configuration.states]
    asked = graph.widened(linear(graph, states["state"], looking.below("state"), bias=False), 1)
    fit = linear(graph, graph.add("Tanh", graph.add("Add", asked, states["keys"])), looking.below("score"), bias=False)
    shown = graph.add("Where", states["mask"], graph.narrowed(fit, 2), graph.constant(LOWEST))
    shares = graph.add("Softmax", shown, attributes={"axis": 1})
    context = graph.narrowed(graph.add("MatMul", graph.widened(shares, 1), states["read"]), 1)
    inside = graph.add("Concat", words, context, attributes={"axis": 1})
    layer = (Layer(network.configuration.cell, weights.below("cell"), ""),)
    before = tuple(graph.widened(states[name], 0) for name in names)
    found = recurrent(graph, graph.widened(inside, 0), layer, "cell", states=before)
    after = {name: graph.narrowed(each, 0) for name, each in zip(names, found[1:], strict=True)}
    part = graph.add("Concat", after["state"], context, words, attributes={"axis": 1})
    return graph.add("Tanh", linear(graph, part, weights.below("output"))), after


# Recurrent, without attention


def _read_backwards(
    graph: Graph, network: SequenceToSequenceNetwork, weights: NamedArrays, source: str, mask: str
) -> dict[str, StateTensor]:
    """The operator turns each row within its own length, and its last state is that of the first word."""
    turned = graph.add("Transpose", _embedded(graph, weights, source), attributes={"perm": [1, 0, 2]})
    lengths = graph.over("ReduceSum", graph.cast(mask, np.int32), 1)
    layer = (Layer(type(network.encoder), weights.below("encoder")),)
    _, state, memory = recurrent(graph, turned, layer, "encoder", lengths, direction="reverse")
    shape: Shape = (ROWS, network.configuration.hidden_size)
    return {
        "state": StateTensor(graph.narrowed(state, 0), shape), "memory": StateTensor(graph.narrowed(memory, 0), shape),
    }


def _write(
    graph: Graph, network: SequenceToSequenceNetwork, weights: NamedArrays, words: str, states: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    layer = (Layer(type(network.decoder), weights.below("decoder")),)
    before = tuple(graph.widened(states[name], 0) for name in ("state", "memory"))
    _, *found = recurrent(graph, graph.widened(words, 0), layer, "decoder", states=before)
    after = {name: graph.narrowed(each, 0) for name, each in zip(("state", "memory"), found, strict=True)}
    return linear(graph, after["state"], weights.below("output")), after


# Transformer


def _encode(
    graph: Graph, network: TransformerEncoderDecoderNetwork, weights: NamedArrays, source: str, mask: str
) -> dict[str, StateTensor]:
    """The keys and values of what was read, and, of what was written, none yet; by layer."""
    shape, size = network.configuration, network.configuration.width // network.configuration.heads
    vectors = _scaled(graph, network, _embedded(graph, weights, source))
    table = graph.weight("positions", network.positions.numpy())
    vectors = graph.add("Add", vectors, graph.first(table, graph.size(source, 1)))
    hidden = hiding(graph, mask)
    for number in range(shape.layers):
        vectors = block(graph, vectors, hidden, weights.below(f"encoder.{number}"), shape.heads)
    read = layer_norm(graph, vectors, weights.below("encoder_norm"))
    found = {"mask": StateTensor(mask, (ROWS, SOURCE), np.bool_)}
    for number in range(shape.layers):
        both = keys_values(graph, read, weights.below(f"decoder.{number}.source_attention"), shape.heads)
        nothing = graph.first(both[0], graph.constant([0], np.int64), axis=2)
        for name, each in zip(("keys", "values"), both, strict=True):
            found[f"source_{name}.{number}"] = StateTensor(each, (ROWS, shape.heads, SOURCE, size))
            found[f"own_{name}.{number}"] = StateTensor(nothing, (ROWS, shape.heads, WRITTEN, size))
    return found


def _decode(
    graph: Graph, network: TransformerEncoderDecoderNetwork, weights: NamedArrays, words: str, states: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    heads, after = network.configuration.heads, {}
    begun = graph.size(states["own_keys.0"], 2)
    table = graph.weight("positions", network.positions.numpy())
    place = graph.part(table, begun, graph.add("Add", begun, graph.constant([1], np.int64)), 0)
    vectors = graph.widened(graph.add("Add", _scaled(graph, network, words), place), 1)
    hidden = hiding(graph, states["mask"])
    for number in range(network.configuration.layers):
        own = weights.below(f"decoder.{number}")
        looking = layer_norm(graph, vectors, own.below("own_norm"))
        joined = []
        new = keys_values(graph, looking, own.below("own_attention"), heads)
        for name, each in zip(("own_keys", "own_values"), new, strict=True):
            past = graph.add("Concat", states[f"{name}.{number}"], each, attributes={"axis": 2})
            after[f"{name}.{number}"] = past
            joined.append(past)
        read = attention(graph, looking, (joined[0], joined[1]), own.below("own_attention"), heads, None)
        vectors = graph.add("Add", vectors, read)
        source = states[f"source_keys.{number}"], states[f"source_values.{number}"]
        looking = layer_norm(graph, vectors, own.below("source_norm"))
        read = attention(graph, looking, source, own.below("source_attention"), heads, hidden)
        vectors = feed_forward(graph, graph.add("Add", vectors, read), own.below("feed_forward"), "relu")
    return graph.narrowed(layer_norm(graph, vectors, weights.below("decoder_norm")), 1), after


def _scaled(graph: Graph, network: TransformerEncoderDecoderNetwork, vectors: str) -> str:
    return graph.add("Mul", vectors, graph.constant(network.configuration.width**0.5))


NETWORKS: dict[type, TwoGraphs] = {
    RecurrentEncoderDecoder: TwoGraphs(_read, _attend),
    SequenceToSequenceNetwork: TwoGraphs(_read_backwards, _write),
    TransformerEncoderDecoderNetwork: TwoGraphs(_encode, _decode),
}


def _embedded(graph: Graph, weights: NamedArrays, tokens: str) -> str:
    return graph.add("Gather", weights.below("embedding").put(graph, "weight"), tokens)


def translator(fitted: FittedTranslator) -> ExportedFolder:
    """The folder: encoder.onnx, step.onnx, the subwords and two programs that translate, greedily.

    UsageError for a network that is not written out here.
    """
    network: Any = fitted.model.network
    if type(network) not in NETWORKS:
        raise UsageError(f"The family {fitted.description.title} cannot be written as onnx.")
    weights = NamedArrays(weights_of(network))
    encoder, states = _encoder(network, weights)
    known = {
        "begin": BEGIN, "end": END, "padding": PADDING, "max_length": fitted.max_length,
        "times_as_long": TIMES_AS_LONG, "more_tokens": MORE_TOKENS,
    }
    return ExportedFolder({
        "encoder.onnx": encoder.file(), "step.onnx": _step(fitted.model, weights, states).file(),
        "tokenizer.json": fitted.tokenizer.description(), "vocabulary.json": json_bytes(known),
        "example.py": example("onnx_translator.py"), "example.mjs": example("files.mjs", "onnx_translator.mjs"),
    })


def _encoder(network: Any, weights: NamedArrays) -> tuple[Graph, dict[str, StateTensor]]:
    graph = Graph("encoder")
    source = graph.input("source", (ROWS, SOURCE))
    mask = graph.add("Not", graph.add("Equal", source, graph.constant(PADDING, np.int64)))
    states = NETWORKS[type(network)].encode(graph, network, weights, source, mask)
    for name, state in states.items():
        graph.output(name, state.value, state.shape, state.kind)
    return graph, states


def _step(model: Any, weights: NamedArrays, states: Mapping[str, StateTensor]) -> Graph:
    graph, network = Graph("step"), model.network
    last = graph.input("last", (ROWS,))
    given = {name: graph.input(name, state.shape, state.kind) for name, state in states.items()}
    vectors, after = NETWORKS[type(network)].step(graph, network, weights, _embedded(graph, weights, last), given)
    bias = model.head.bias.detach().numpy().copy()
    table = graph.add("Transpose", "embedding.weight", attributes={"perm": [1, 0]})
    logits = graph.add("Add", graph.add("MatMul", vectors, table), graph.weight("head.bias", bias))
    never = np.zeros(len(bias), np.float32)
    never[list(NEVER_WRITTEN)] = LOWEST
    found = graph.add("Add", graph.add("LogSoftmax", logits, attributes={"axis": 1}), graph.weight("never", never))
    graph.output("log_probabilities", found, (ROWS, len(bias)))
    for name, value in after.items():
        graph.output(NEXT + name, value, tuple(f"{NEXT}{each}" if each == WRITTEN else each
                                               for each in states[name].shape))
    return graph
