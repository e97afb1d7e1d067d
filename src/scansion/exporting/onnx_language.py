"""Recurrent language models as ONNX: tokens and a state in, what follows each of them and the state after out.

One graph scores and writes: tokens (B, L), all rows of one length, and the states (B, hidden) of each layer, noughts at
the beginning of a document; log_probabilities (B, L, V) of the token after each, and the states then, behind ``next.``.
"""

from typing import Any

import numpy as np

from scansion.errors import UsageError
from scansion.exporting.exported_folder import ExportedFolder, example
from scansion.exporting.onnx_graph import Graph
from scansion.exporting.onnx_layers import Layer, NamedArrays, linear, recurrent
from scansion.exporting.onnx_translators import NEXT
from scansion.families.recurrent_language_model import RecurrentLanguageNetwork
from scansion.learning.weight_average import weights_of
from scansion.models.huggingface_decoder import tokenizer_file
from scansion.models.neural_language import NeuralLanguage
from scansion.storage.strict_json import json_bytes
from scansion.text.text_units import TextUnits

ROWS, TOKENS = "rows", "tokens"
RUNS = (RecurrentLanguageNetwork,)
NAMES = ("state", "memory")


def language(model: NeuralLanguage, units: TextUnits) -> ExportedFolder:
    """The folder: model.onnx, the tokenizer and a program that writes on.

    UsageError for a Transformer, and for tokens that the tokenizers library has no place for.
    """
    network: Any = model.network.network
    if type(network) not in RUNS:
        raise UsageError("Of language models onnx takes recurrent ones. Export a Transformer with --to huggingface.")
    graph, weights = Graph("language"), NamedArrays(weights_of(model.network))
    inside, hidden = weights.below("network"), network.configuration.hidden_size
    tokens = graph.input(TOKENS, (ROWS, TOKENS))
    after: dict[str, str] = {}
    vectors = graph.add("Gather", inside.below("embedding").put(graph, "weight"), tokens)
    vectors = graph.add("Transpose", vectors, attributes={"perm": [1, 0, 2]})
    for number in range(network.configuration.layers):
        names = [f"{name}.{number}" for name in NAMES[: network.configuration.states]]
        before = tuple(graph.widened(graph.input(name, (ROWS, hidden), np.float32), 0) for name in names)
        layer = (Layer(network.configuration.layer, inside.below(f"layers.{number}")),)
        read, *then = recurrent(graph, vectors, layer, f"layers.{number}", states=before)
        vectors = graph.narrowed(read, 1)
        after |= {name: graph.narrowed(each, 0) for name, each in zip(names, then, strict=True)}
    vectors = linear(graph, graph.add("Transpose", vectors, attributes={"perm": [1, 0, 2]}), inside.below("output"))
    table = graph.add("Transpose", f"{inside.prefix}embedding.weight", attributes={"perm": [1, 0]})
    logits = graph.add("Add", graph.add("MatMul", vectors, table), weights.below("head").put(graph, "bias"))
    found = graph.add("LogSoftmax", logits, attributes={"axis": -1})
    graph.output("log_probabilities", found, (ROWS, TOKENS, len(units)))
    for name, value in after.items():
        graph.output(NEXT + name, value, (ROWS, hidden))
    known = {
        "begin": model.begin, "end": model.end, "never_written": list(model.never_written),
        "states": dict.fromkeys(after, hidden),
    }
    return ExportedFolder({
        "model.onnx": graph.file(), "tokenizer.json": tokenizer_file(units), "vocabulary.json": json_bytes(known),
        "example.py": example("onnx_language.py"),
    })
