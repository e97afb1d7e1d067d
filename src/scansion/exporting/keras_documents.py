"""Document models in Keras 3, of its own layers and operations alone: a ``.keras`` file holds no code.

The inputs are those of :mod:`scansion.exporting.document_parts`, layers bear the names that their weights have in
torch.  Keras runs it on TensorFlow, JAX or PyTorch, and makes a SavedModel or a LiteRT file of it.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from scansion.errors import MissingExtraError, UsageError
from scansion.exporting.document_parts import (
    Files,
    Read,
    counted_arrays,
    counted_files,
    pretrained_files,
    shape_of,
    trained_files,
    word_table,
    written_out,
)
from scansion.exporting.exported_folder import ExportedFolder, reader
from scansion.families.bert import Bert
from scansion.families.static import SMALLEST
from scansion.families.transformer import Transformer, TransformerEncoder
from scansion.layers.pooling import ConcatPooling, MeanMaxPooling
from scansion.layers.recurrent_encoder import RecurrentEncoder
from scansion.learning.weight_average import weights_of
from scansion.models.document_models import FittedDocuments
from scansion.storage.scratch import scratch_folder

LOWEST = -1e30
BACKEND = "KERAS_BACKEND"


def library() -> Any:
    """Keras, on PyTorch unless it is said or loaded already. MissingExtraError without it."""
    os.environ.setdefault(BACKEND, "torch")
    try:
        import keras
    except ImportError as error:
        raise MissingExtraError("This needs Keras: pip install 'scansion[keras]'.") from error
    return keras


class Writer:
    """Layers with the weights they are given, called on symbolic tensors."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """MissingExtraError without Keras."""
        self.keras, self.weights = library(), weights
        self.ops, self.layers = self.keras.ops, self.keras.layers

    def input(self, name: str) -> Any:
        """Whole numbers (B, any)."""
        return self.keras.Input((None,), dtype="int32", name=name)

    def table(self, name: str, array: np.ndarray, numbers: Any) -> Any:
        """Rows of a table, (...) -> (..., D)."""
        layer = self.layers.Embedding(*array.shape, name=_name(name))
        found = layer(numbers)
        layer.set_weights([array.astype(np.float32)])
        return found

    def dense(self, name: str, kernel: np.ndarray, bias: np.ndarray, vectors: Any) -> Any:
        """A matrix (D, E) and its bias."""
        layer = self.layers.Dense(kernel.shape[1], name=_name(name))
        found = layer(vectors)
        layer.set_weights([kernel, bias])
        return found

    def linear(self, name: str, vectors: Any) -> Any:
        """One of torch's, whose matrix is (E, D)."""
        return self.dense(name, self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"], vectors)

    def norm(self, name: str, vectors: Any, epsilon: float = 1e-5) -> Any:
        """A layer norm."""
        layer = self.layers.LayerNormalization(epsilon=epsilon, name=_name(name))
        found = layer(vectors)
        layer.set_weights([self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]])
        return found

    def attention(self, name: str, vectors: Any, mask: Any, heads: int) -> Any:
        """Self-attention (B, L, D), which sees where ``mask`` (B, L) is True."""
        width = vectors.shape[2]
        layer = self.layers.MultiHeadAttention(heads, width // heads, name=_name(name))
        found = layer(vectors, vectors, attention_mask=self.ops.expand_dims(mask, 1))
        key, value = (np.split(self.weights[f"{name}.key_value.{part}"], 2) for part in ("weight", "bias"))
        for part, weight, bias in (
            (layer.query_dense, self.weights[f"{name}.query.weight"], self.weights[f"{name}.query.bias"]),
            (layer.key_dense, key[0], value[0]), (layer.value_dense, key[1], value[1]),
        ):
            part.set_weights([weight.T.reshape(width, heads, -1), bias.reshape(heads, -1)])
        output = self.weights[f"{name}.output.weight"].T.reshape(heads, -1, width)
        layer.output_dense.set_weights([output, self.weights[f"{name}.output.bias"]])
        return found

    def places(self, numbers: Any) -> Any:
        """0, 1, 2 … of every row of (B, L)."""
        return self.ops.cumsum(self.ops.ones_like(numbers), axis=1) - 1

    def real(self, mask: Any) -> Any:
        """A mask as numbers."""
        return self.ops.cast(mask, "float32")

    def summed(self, shares: Any, vectors: Any) -> Any:
        """Vectors (B, L, D), weighed by (B, L) and added up, (B, D)."""
        return self.ops.sum(vectors * self.ops.expand_dims(shares, 2), axis=1)


def _name(name: str) -> str:
    """Of a layer, of which PyTorch makes a parameter's: without points."""
    return name.replace(".", "_")


def counted(fitted: FittedDocuments) -> ExportedFolder:
    """Features and how often each stands there -> a gathered sum of weights."""
    arrays, write = counted_arrays(fitted.model), Writer({})
    ops, inputs = write.ops, [write.input("features"), write.input("counts")]
    features, times = inputs[0], write.real(inputs[1])
    idf = write.table("idf", arrays.idf[:, None], features)[:, :, 0]
    there = write.real(ops.greater(times, 0))
    values = there * (1 + ops.log(ops.maximum(times, 1))) * idf
    of_characters = write.real(ops.greater(features, arrays.border))
    lengths = [
        ops.maximum(ops.sqrt(ops.sum(values * values * part, axis=1, keepdims=True)), SMALLEST)
        for part in (1 - of_characters, of_characters)
    ]
    values = values * ((1 - of_characters) / lengths[0] + of_characters / lengths[1])
    logits = write.summed(values, write.table("weights", arrays.weights, features))
    if arrays.static is not None:
        pieces = write.input("pieces")
        inputs.append(pieces)
        table = arrays.static.rows.astype(np.float32) * arrays.static.scales[:, None]
        total = ops.sum(write.table("static", table, pieces), axis=1)
        unit = total / ops.maximum(ops.sqrt(ops.sum(total * total, axis=1, keepdims=True)), SMALLEST)
        logits = logits + write.dense("static.weights", arrays.static.weights, 0 * arrays.bias, unit)
    logits = write.layers.Rescaling(1.0, arrays.bias.tolist(), name="bias")(logits)
    return _folder(write, inputs, logits, fitted, "counted", counted_files(fitted))


def trained(fitted: FittedDocuments) -> ExportedFolder:
    """A network that reads words."""
    model: Any = fitted.model
    network, write = model.network, Writer(weights_of(model.network))
    words, counts = inputs = [write.input("words"), write.input("counts")]
    mask = write.ops.greater(counts, 0)
    vectors, more = _embedded(write, model, words)
    read = written_out(READ, network.encoder, fitted)(write, fitted.family, network.encoder, vectors, mask)
    features = POOLED[type(network.pooling)](write, read, mask)
    if network.word_sum is not None:
        shares = write.real(mask) / write.ops.sqrt(write.real(write.ops.maximum(counts, 1)))
        scale = write.ops.sqrt(fitted.family.width / write.ops.sum(shares, axis=1, keepdims=True))
        features = write.ops.concatenate([features, scale * write.summed(shares, vectors)], axis=1)
    return _folder(write, inputs + more, write.linear("output", features), fitted, "words", trained_files(fitted))


def _embedded(write: Writer, model: Any, words: Any) -> tuple[Any, list[Any]]:
    """Numbers (B, L) -> (B, L, D), and the inputs of the character n-grams of words that have no number."""
    table, char_ngrams = word_table(model)
    vectors = write.table("encoder.embedding.words", table, words)
    if char_ngrams is None:
        return vectors, []
    ops, pieces, places = write.ops, write.input("char_ngrams"), write.input("places")
    found = write.table("encoder.embedding.char_ngrams", char_ngrams, pieces)
    here = ops.equal(ops.expand_dims(places, 1), ops.expand_dims(write.places(words), 2))  # (B, L, P)
    shares = write.real(here) * ops.expand_dims(write.real(ops.greater(pieces, 0)), 1)
    sizes = ops.maximum(ops.sum(shares, axis=2, keepdims=True), 1)
    return vectors + ops.matmul(shares / sizes, found), [pieces, places]


def fine_tuned(fitted: FittedDocuments) -> ExportedFolder:
    """A pretrained encoder that was trained with its head."""
    model: Any = fitted.model
    write = Writer(weights_of(model.network))
    inputs, read, mask = _pretrained(write, shape_of(model.network.encoder))
    logits = write.linear("output", POOLED[type(model.network.pooling)](write, read, mask))
    return _folder(write, inputs, logits, fitted, "pretrained", pretrained_files(fitted, model.max_length))


def frozen(fitted: FittedDocuments) -> ExportedFolder:
    """A pretrained encoder as it came; the scale of its vectors is a part of the head."""
    model: Any = fitted.model
    encoder, vectors = model.vectors.encoder, model.vectors
    shape = shape_of(encoder.network)
    write = Writer({f"encoder.{name}": array for name, array in weights_of(encoder.network).items()})
    inputs, read, mask = _pretrained(write, shape)
    features = write.ops.concatenate([POOLINGS[name](write, read.vectors, mask) for name in encoder.pooling], axis=1)
    kernel = model.linear.weights.astype(np.float64) / (vectors.deviation * encoder.width**0.5)[:, None]
    bias = model.linear.bias - vectors.mean.astype(np.float64) @ kernel
    logits = write.dense("head", kernel, bias, features)
    return _folder(write, inputs, logits, fitted, "pretrained", pretrained_files(fitted, encoder.max_length))


def _pretrained(write: Writer, shape: Bert) -> tuple[list[Any], Read, Any]:
    """UsageError for positions that Keras's attention has no place for."""
    if shape.relative_positions:
        raise UsageError(
            "Keras's attention has no place for relative positions, which this encoder (MPNet) has. "
            "Export it with --to onnx."
        )
    tokens, given = inputs = [write.input("input_ids"), write.input("attention_mask")]
    mask, weights = write.ops.greater(given, 0), write.weights
    vectors = write.table("encoder.words", weights["encoder.words.weight"], tokens)
    vectors = vectors + write.table("encoder.positions", weights["encoder.positions"], write.places(tokens))
    vectors = write.norm("encoder.norm", vectors, shape.norm_epsilon)
    for number in range(shape.layers):
        name = f"encoder.blocks.{number}"
        read = write.attention(f"{name}.attention", vectors, mask, shape.heads)
        vectors = write.norm(f"{name}.attention_norm", vectors + read, shape.norm_epsilon)
        inner = ACTIVATIONS[shape.activation](write.ops, write.linear(f"{name}.inner", vectors))
        outer = write.linear(f"{name}.outer", inner)
        vectors = write.norm(f"{name}.outer_norm", vectors + outer, shape.norm_epsilon)
    return inputs, Read(vectors), mask


# Encoders


def _transformer(write: Writer, family: Transformer, encoder: TransformerEncoder, vectors: Any, mask: Any) -> Read:
    if family.positions != "none":
        table = encoder.positions.table.detach().numpy()
        vectors = vectors + write.table("encoder.positions", table, write.places(mask))
    for number in range(family.layers):
        name = f"encoder.blocks.{number}"
        looking = write.norm(f"{name}.attention_norm", vectors)
        vectors = vectors + write.attention(f"{name}.attention", looking, mask, family.heads)
        inner = write.linear(f"{name}.feed_forward.inner", write.norm(f"{name}.feed_forward.norm", vectors))
        outer = write.linear(f"{name}.feed_forward.outer", ACTIVATIONS[family.activation](write.ops, inner))
        vectors = vectors + outer
    return Read(write.norm("encoder.norm", vectors))


def _recurrent(write: Writer, family: Any, encoder: RecurrentEncoder, vectors: Any, mask: Any) -> Read:
    """Keras reads a row backwards with its filling first, which the mask has it pass over."""
    kind, hidden = RECURRENT[type(encoder.states.forwards)], family.width // 2
    one_way = getattr(write.layers, kind.layer)(
        hidden, return_sequences=True, return_state=True, name="states", **kind.options
    )
    layer = write.layers.Bidirectional(one_way, name=_name("encoder.states"))
    states, *last = layer(vectors, mask=mask)
    ways = ("encoder.states.forwards", "encoder.states.backwards")
    layer.set_weights([array for way in ways for array in kind.weights(write.weights, way)])
    return Read(states, write.ops.concatenate([last[0], last[len(last) // 2]], axis=1))


def _one_bias(weights: Mapping[str, np.ndarray], name: str) -> list[np.ndarray]:
    """Torch has two biases where Keras has their sum."""
    kernels = [weights[f"{name}.weight_{part}_l0"].T for part in ("ih", "hh")]
    return [*kernels, weights[f"{name}.bias_ih_l0"] + weights[f"{name}.bias_hh_l0"]]


def _update_gate_first(weights: Mapping[str, np.ndarray], name: str) -> list[np.ndarray]:
    """Torch's gates are r, z, n and Keras's z, r, n; both biases are kept apart."""

    def ordered(part: str) -> np.ndarray:
        r, z, n = np.split(weights[f"{name}.{part}_l0"], 3)
        return np.concatenate([z, r, n])

    return [ordered("weight_ih").T, ordered("weight_hh").T, np.stack([ordered("bias_ih"), ordered("bias_hh")])]


class RecurrentLayer(NamedTuple):
    """The name of Keras's layer, what it is told, and its weights: of all weights, those below a name."""

    layer: str
    options: Mapping[str, Any]
    weights: Callable[[Mapping[str, np.ndarray], str], list[np.ndarray]]


RECURRENT: dict[type, RecurrentLayer] = {
    nn.RNN: RecurrentLayer("SimpleRNN", {}, _one_bias),
    nn.GRU: RecurrentLayer("GRU", {"reset_after": True}, _update_gate_first),
    nn.LSTM: RecurrentLayer("LSTM", {}, _one_bias),
}
READ: dict[type, Callable[[Writer, Any, Any, Any, Any], Read]] = {
    RecurrentEncoder: _recurrent, TransformerEncoder: _transformer,
}
"""By network: what the vectors of words become."""
ACTIVATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda ops, vectors: ops.relu(vectors),
    "gelu": lambda ops, vectors: ops.gelu(vectors, approximate=False),
    "gelu_new": lambda ops, vectors: ops.gelu(vectors, approximate=True),
    "tanh": lambda ops, vectors: ops.tanh(vectors),
    "sigmoid": lambda ops, vectors: ops.sigmoid(vectors),
}


# Poolings


def _mean(write: Writer, vectors: Any, mask: Any) -> Any:
    return write.summed(write.real(mask), vectors) / _lengths(write, mask)


def _max(write: Writer, vectors: Any, mask: Any) -> Any:
    return write.ops.max(write.ops.where(write.ops.expand_dims(mask, 2), vectors, LOWEST), axis=1)


def _later_weigh_more(write: Writer, vectors: Any, mask: Any) -> Any:
    shares = write.ops.cumsum(write.real(mask), axis=1) * write.real(mask)
    return write.summed(shares, vectors) / write.ops.sum(shares, axis=1, keepdims=True)


def _last(write: Writer, vectors: Any, mask: Any) -> Any:
    places = write.ops.cast(write.places(mask), "float32")
    return write.summed(write.real(write.ops.equal(places, _lengths(write, mask) - 1)), vectors)


def _lengths(write: Writer, mask: Any) -> Any:
    return write.ops.sum(write.real(mask), axis=1, keepdims=True)


POOLINGS: dict[str, Callable[[Writer, Any, Any], Any]] = {
    "mean": _mean,
    "cls": lambda write, vectors, mask: vectors[:, 0],
    "max": _max,
    "mean_sqrt_len_tokens": lambda write, vectors, mask: (
        write.summed(write.real(mask), vectors) / write.ops.sqrt(_lengths(write, mask))
    ),
    "weightedmean": _later_weigh_more,
    "lasttoken": _last,
}
"""By the names of :data:`scansion.layers.pooling.POOLINGS`."""


def _mean_and_max(write: Writer, read: Read, mask: Any) -> Any:
    return write.ops.concatenate([_mean(write, read.vectors, mask), _max(write, read.vectors, mask)], axis=1)


def _with_ends(write: Writer, read: Read, mask: Any) -> Any:
    ends = read.last / write.ops.sqrt(_lengths(write, mask))
    return write.ops.concatenate([_mean_and_max(write, read, mask), ends], axis=1)


POOLED: dict[type, Callable[[Writer, Read, Any], Any]] = {MeanMaxPooling: _mean_and_max, ConcatPooling: _with_ends}
"""By what a family pools with."""


# Answers


def _labels(write: Writer, logits: Any, head: Any) -> Any:
    if len(head.labels) == 1:
        return write.ops.ones_like(logits)
    if head.size > 1:
        return write.ops.softmax(logits, axis=1)
    second = write.ops.sigmoid(logits)
    return write.ops.concatenate([1 - second, second], axis=1)


SCORES: dict[str, Callable[[Writer, Any, Any], Any]] = {
    "multiclass": _labels,
    "multilabel": lambda write, logits, head: write.ops.sigmoid(logits),
    "regression": lambda write, logits, head: write.layers.Rescaling(head.deviation, head.mean, name="number")(logits),
}
"""By the kind of a head: the probability of each label, or the number."""


def _folder(
    write: Writer, inputs: list[Any], logits: Any, fitted: FittedDocuments, kind: str, files: Files
) -> ExportedFolder:
    outputs = {"logits": logits, "scores": SCORES[fitted.head.kind](write, logits, fitted.head)}
    model = write.keras.Model(inputs, outputs, name=fitted.description.title.replace("-", "_"))
    with scratch_folder("keras") as folder:
        model.save(folder / "model.keras")
        written = (folder / "model.keras").read_bytes()
    return ExportedFolder({"model.keras": written, "example.py": reader("keras", kind)} | files)
