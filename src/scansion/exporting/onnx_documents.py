"""Document models as ONNX: the inputs of :mod:`scansion.exporting.document_parts` in, logits and scores out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from scansion.exporting.document_parts import (
    Files,
    Read,
    StaticArrays,
    counted_arrays,
    counted_files,
    pretrained_files,
    shape_of,
    trained_files,
    word_table,
    written_out,
)
from scansion.exporting.exported_folder import ExportedFolder, example, reader
from scansion.exporting.onnx_graph import Graph
from scansion.exporting.onnx_layers import (
    ACTIVATIONS,
    LOWEST,
    NamedArrays,
    attention,
    block,
    both_ways,
    hiding,
    keys_values,
    layer_norm,
    linear,
)
from scansion.families.bert import Bert
from scansion.families.static import SMALLEST
from scansion.families.transformer import Transformer, TransformerEncoder
from scansion.layers.pooling import ConcatPooling, MeanMaxPooling
from scansion.layers.recurrent_encoder import RecurrentEncoder
from scansion.layers.relative_position_bias import relative_position_buckets
from scansion.learning.weight_average import weights_of
from scansion.models.document_models import FittedDocuments

ROWS = "rows"


def counted(fitted: FittedDocuments) -> ExportedFolder:
    """Features and how often each stands there -> a gathered sum of weights."""
    arrays, graph = counted_arrays(fitted.model), Graph("counted")
    features, counts = graph.input("features", (ROWS, "features")), graph.input("counts", (ROWS, "features"))
    times = graph.cast(counts)
    there = graph.add("Greater", times, graph.constant(0.0))
    logarithm = graph.add("Log", graph.add("Max", times, graph.constant(1.0)))
    weight = graph.add("Add", logarithm, graph.constant(1.0))
    values = graph.add("Mul", weight, graph.add("Gather", graph.weight("idf", arrays.idf), features))
    values = graph.add("Where", there, values, graph.constant(0.0))
    of_characters = graph.add("Greater", features, graph.constant(arrays.border, np.int64))
    squares = graph.add("Mul", values, values)
    lengths = [
        graph.add("Max", graph.add("Sqrt", graph.over("ReduceSum", each, 1, keep=True)), graph.constant(SMALLEST))
        for each in (
            graph.add("Where", of_characters, graph.constant(0.0), squares),
            graph.add("Where", of_characters, squares, graph.constant(0.0)),
        )
    ]
    values = graph.add("Div", values, graph.add("Where", of_characters, lengths[1], lengths[0]))
    rows = graph.add("Gather", graph.weight("weights", arrays.weights), features)
    logits = graph.narrowed(graph.add("MatMul", graph.widened(values, 1), rows), 1)
    if arrays.static is not None:
        logits = graph.add("Add", logits, _static(graph, arrays.static))
    logits = graph.add("Add", logits, graph.weight("bias", arrays.bias))
    return _folder(graph, logits, fitted, "counted", counted_files(fitted))


def _static(graph: Graph, static: StaticArrays) -> str:
    """The static vector of a text, scaled to length one, times the weights: (B, K)."""
    pieces = graph.input("pieces", (ROWS, "pieces"))
    rows = graph.cast(graph.add("Gather", graph.weight("static.rows", static.rows), pieces))
    scales = graph.add("Gather", graph.weight("static.scales", static.scales), pieces)
    total = graph.narrowed(graph.add("MatMul", graph.widened(scales, 1), rows), 1)
    length = graph.add("Sqrt", graph.over("ReduceSum", graph.add("Mul", total, total), 1, keep=True))
    unit = graph.add("Div", total, graph.add("Max", length, graph.constant(SMALLEST)))
    return graph.add("MatMul", unit, graph.weight("static.weights", static.weights))


def trained(fitted: FittedDocuments) -> ExportedFolder:
    """A network that reads words."""
    model: Any = fitted.model
    network, graph = model.network, Graph(fitted.description.title)
    words, counts = graph.input("words", (ROWS, "words")), graph.input("counts", (ROWS, "words"))
    weights = NamedArrays(weights_of(network))
    mask = graph.add("Greater", counts, graph.constant(0, np.int64))
    vectors = _embedded(graph, model, words)
    reader_of = written_out(READ, network.encoder, fitted)
    read = reader_of(graph, fitted.family, network.encoder, vectors, mask, weights.below("encoder"))
    features = POOLED[type(network.pooling)](graph, read, mask)
    if network.word_sum is not None:
        together = _word_sum(graph, vectors, counts, mask, fitted.family.width)
        features = graph.add("Concat", features, together, attributes={"axis": 1})
    logits = linear(graph, features, weights.below("output"))
    return _folder(graph, logits, fitted, "words", trained_files(fitted))


def _embedded(graph: Graph, model: Any, words: str) -> str:
    """Numbers (B, L) and the character n-grams of those that have none -> (B, L, D)."""
    table, char_ngrams = word_table(model)
    vectors = graph.add("Gather", graph.weight("encoder.embedding.words", table), words)
    if char_ngrams is None:
        return vectors
    pieces, places = graph.input("char_ngrams", (ROWS, "pieces")), graph.input("places", (ROWS, "pieces"))
    found = graph.add("Gather", graph.weight("encoder.embedding.char_ngrams", char_ngrams), pieces)
    nought, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    here = graph.add("Range", nought, graph.narrowed(graph.size(words, 1), 0), one)
    # a product: onnxruntime's threads lose some of what ScatterND adds up in one place
    real = graph.widened(graph.add("Greater", pieces, nought), 1)
    theirs = graph.add("And", graph.add("Equal", graph.widened(places, 1), graph.widened(here, 1)), real)
    shares = graph.cast(theirs)  # (B, L, P)
    sizes = graph.add("Max", graph.over("ReduceSum", shares, 2, keep=True), graph.constant(1.0))
    return graph.add("Add", vectors, graph.add("MatMul", graph.add("Div", shares, sizes), found))


def _word_sum(graph: Graph, vectors: str, counts: str, mask: str, width: int) -> str:
    """The formula of :class:`scansion.layers.pooling.WordSum`, (B, D)."""
    times = graph.add("Sqrt", graph.add("Max", graph.cast(counts), graph.constant(1.0)))
    shares = graph.add("Div", graph.cast(mask), times)
    total = graph.over("ReduceSum", graph.add("Mul", vectors, graph.widened(shares, 2)), 1)
    size = graph.over("ReduceSum", shares, 1, keep=True)
    return graph.add("Mul", total, graph.add("Sqrt", graph.add("Div", graph.constant(width), size)))


def fine_tuned(fitted: FittedDocuments) -> ExportedFolder:
    """A pretrained encoder that was trained with its head."""
    model: Any = fitted.model
    graph, weights = Graph("fine-tuned"), NamedArrays(weights_of(model.network))
    read, mask = _pretrained(graph, model.network.encoder, weights.below("encoder"))
    logits = linear(graph, POOLED[type(model.network.pooling)](graph, read, mask), weights.below("output"))
    return _folder(graph, logits, fitted, "pretrained", pretrained_files(fitted, model.max_length))


def frozen(fitted: FittedDocuments) -> ExportedFolder:
    """A pretrained encoder as it came, under a linear head."""
    model: Any = fitted.model
    graph, encoder, vectors = Graph("frozen"), model.vectors.encoder, model.vectors
    weights = NamedArrays({f"encoder.{name}": each for name, each in weights_of(encoder.network).items()})
    read, mask = _pretrained(graph, encoder.network, weights.below("encoder"))
    parts = [POOLINGS[name](graph, read.vectors, mask) for name in encoder.pooling]
    features = graph.add("Concat", *parts, attributes={"axis": 1})
    centred = graph.add("Sub", features, graph.weight("mean", vectors.mean))
    scaled = graph.add("Div", centred, graph.weight("deviation", vectors.deviation * np.float32(encoder.width**0.5)))
    logits = graph.add("MatMul", scaled, graph.weight("head.weights", model.linear.weights))
    logits = graph.add("Add", logits, graph.weight("head.bias", model.linear.bias))
    return _folder(graph, logits, fitted, "pretrained", pretrained_files(fitted, encoder.max_length))


def _pretrained(graph: Graph, encoder: Any, weights: NamedArrays) -> tuple[Read, str]:
    shape = shape_of(encoder)
    tokens = graph.input("input_ids", (ROWS, "tokens"))
    mask = graph.cast(graph.input("attention_mask", (ROWS, "tokens")), np.bool_)
    vectors = graph.add("Gather", weights.put(graph, "words.weight"), tokens)
    return _bert(graph, shape, vectors, mask, weights), mask


# Encoders


def _recurrent(
    graph: Graph, family: Any, encoder: RecurrentEncoder, vectors: str, mask: str, weights: NamedArrays
) -> Read:
    return Read(*both_ways(graph, vectors, mask, type(encoder.states.forwards), weights.below("states")))


def _transformer(
    graph: Graph, family: Transformer, encoder: TransformerEncoder, vectors: str, mask: str, weights: NamedArrays
) -> Read:
    if family.positions != "none":
        vectors = _with_positions(graph, vectors, encoder.positions.table.detach().numpy())
    hidden = hiding(graph, mask)
    for number in range(family.layers):
        own = weights.below(f"blocks.{number}")
        vectors = block(graph, vectors, hidden, own, family.heads, family.activation)
    return Read(layer_norm(graph, vectors, weights.below("norm")))


def _bert(graph: Graph, shape: Bert, vectors: str, mask: str, weights: NamedArrays) -> Read:
    """Norms stand behind each part."""
    epsilon, hidden = shape.norm_epsilon, hiding(graph, mask)
    if shape.relative_positions:
        hidden = graph.add("Add", hidden, _relative(graph, vectors, shape, weights))
    vectors = _with_positions(graph, vectors, weights["positions"])
    vectors = layer_norm(graph, vectors, weights.below("norm"), epsilon)
    for number in range(shape.layers):
        own = weights.below(f"blocks.{number}")
        looking = own.below("attention")
        context = keys_values(graph, vectors, looking, shape.heads)
        read = attention(graph, vectors, context, looking, shape.heads, hidden)
        vectors = layer_norm(graph, graph.add("Add", vectors, read), own.below("attention_norm"), epsilon)
        inner = ACTIVATIONS[shape.activation](graph, linear(graph, vectors, own.below("inner")))
        outer = linear(graph, inner, own.below("outer"))
        vectors = layer_norm(graph, graph.add("Add", vectors, outer), own.below("outer_norm"), epsilon)
    return Read(vectors)


def _with_positions(graph: Graph, vectors: str, table: np.ndarray) -> str:
    """Vectors (B, L, D) with the first L rows of a table; a longer text than that does not fit the addition."""
    return graph.add("Add", vectors, graph.first(graph.weight("positions", table), graph.size(vectors, 1)))


def _relative(graph: Graph, vectors: str, shape: Bert, weights: NamedArrays) -> str:
    """What attention adds for how far apart two positions are, (1, H, L, L)."""
    offsets = np.arange(shape.positions)[None, :] - np.arange(shape.positions)[:, None]
    buckets = relative_position_buckets(torch.from_numpy(offsets), shape.relative_positions).numpy()
    size, table = graph.size(vectors, 1), graph.weight("relative_positions", buckets.astype(np.int32))
    table = graph.first(graph.first(table, size), size, axis=1)
    found = graph.add("Gather", weights.below("relative_positions").put(graph, "buckets.weight"), table)
    return graph.widened(graph.add("Transpose", found, attributes={"perm": [2, 0, 1]}), 0)


Reader = Callable[[Graph, Any, Any, str, str, NamedArrays], Read]
READ: dict[type, Reader] = {RecurrentEncoder: _recurrent, TransformerEncoder: _transformer}
"""By network: what the vectors of words become."""


# Poolings


def _mean(graph: Graph, vectors: str, mask: str) -> str:
    return graph.add("Div", _sum(graph, vectors, graph.cast(mask)), _lengths(graph, mask))


def _max(graph: Graph, vectors: str, mask: str) -> str:
    shown = graph.add("Where", graph.widened(mask, 2), vectors, graph.constant(LOWEST))
    return graph.over("ReduceMax", shown, 1)


def _sum_over_root(graph: Graph, vectors: str, mask: str) -> str:
    root = graph.add("Sqrt", _lengths(graph, mask))
    return graph.add("Div", _sum(graph, vectors, graph.cast(mask)), root)


def _later_weigh_more(graph: Graph, vectors: str, mask: str) -> str:
    real = graph.cast(mask)
    shares = graph.add("Mul", graph.add("CumSum", real, graph.constant(1, np.int64)), real)
    return graph.add("Div", _sum(graph, vectors, shares), graph.over("ReduceSum", shares, 1, keep=True))


def _last(graph: Graph, vectors: str, mask: str) -> str:
    places = graph.add("Sub", graph.over("ReduceSum", graph.cast(mask, np.int64), 1, keep=True),
                       graph.constant(1, np.int64))
    return graph.add("GatherND", vectors, places, attributes={"batch_dims": 1})


def _sum(graph: Graph, vectors: str, shares: str) -> str:
    return graph.over("ReduceSum", graph.add("Mul", vectors, graph.widened(shares, 2)), 1)


def _lengths(graph: Graph, mask: str) -> str:
    return graph.over("ReduceSum", graph.cast(mask), 1, keep=True)


POOLINGS: dict[str, Callable[[Graph, str, str], str]] = {
    "mean": _mean,
    "cls": lambda graph, vectors, mask: graph.add("Gather", vectors, graph.constant(0, np.int64),
                                                  attributes={"axis": 1}),
    "max": _max,
    "mean_sqrt_len_tokens": _sum_over_root,
    "weightedmean": _later_weigh_more,
    "lasttoken": _last,
}
"""By the names of :data:`scansion.layers.pooling.POOLINGS`."""


def _mean_and_max(graph: Graph, read: Read, mask: str) -> str:
    both = _mean(graph, read.vectors, mask), _max(graph, read.vectors, mask)
    return graph.add("Concat", *both, attributes={"axis": 1})


def _with_ends(graph: Graph, read: Read, mask: str) -> str:
    ends = graph.add("Div", read.last, graph.add("Sqrt", _lengths(graph, mask)))
    return graph.add("Concat", _mean_and_max(graph, read, mask), ends, attributes={"axis": 1})


POOLED: dict[type, Callable[[Graph, Read, str], str]] = {MeanMaxPooling: _mean_and_max, ConcatPooling: _with_ends}
"""By what a family pools with."""


# Answers


def _labels(graph: Graph, logits: str, head: Any) -> str:
    if len(head.labels) == 1:
        return graph.add("Exp", graph.add("Mul", logits, graph.constant(0.0)))
    if head.size > 1:
        return graph.add("Softmax", logits, attributes={"axis": 1})
    second = graph.add("Sigmoid", logits)
    return graph.add("Concat", graph.add("Sub", graph.constant(1.0), second), second, attributes={"axis": 1})


def _number(graph: Graph, logits: str, head: Any) -> str:
    return graph.add("Add", graph.add("Mul", logits, graph.constant(head.deviation)), graph.constant(head.mean))


SCORES: dict[str, Callable[[Graph, str, Any], str]] = {
    "multiclass": _labels,
    "multilabel": lambda graph, logits, head: graph.add("Sigmoid", logits),
    "regression": _number,
}
"""By the kind of a head: the probability of each label, or the number."""


def _folder(graph: Graph, logits: str, fitted: FittedDocuments, kind: str, files: Files) -> ExportedFolder:
    head = fitted.head
    graph.output("logits", logits, (ROWS, head.size))
    graph.output("scores", SCORES[head.kind](graph, logits, head), (ROWS, max(1, len(head.labels))))
    programs = {"example.py": reader("onnx", kind), "example.mjs": example("files.mjs", f"onnx_{kind}.mjs")}
    return ExportedFolder({"model.onnx": graph.file()} | files | programs)
