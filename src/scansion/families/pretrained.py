"""Pretrained encoders: weights that somebody learned once, on plenty of text (Devlin et al. 2019).

Whatever its name, BERT, RoBERTa, DistilBERT and MPNet are the network of :mod:`scansion.families.bert`; what differs is
how their files call its parts, and that is the table below.  ``frozen``, the encoder gives vectors to a linear head;
``fine-tuned``, it is trained with its head, lower layers slower (Howard and Ruder 2018, section 3.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from scansion.errors import UnsafeFolderError, UsageError, did_you_mean
from scansion.families.bert import ACTIVATIONS, Bert
from scansion.options import check_positive, check_shares
from scansion.storage.huggingface_layout import Layout

MODES = ("auto", "frozen", "fine-tuned")


@dataclass(frozen=True)
class Pretrained:
    """``source``: a folder in the Hugging Face layout, a name on its hub, or nothing for MiniLM-L6.

    ``mode``: frozen, fine-tuned, or auto, which decides by how much there is to learn from.
    """

    source: str = ""
    mode: str = "auto"
    dropout: float = 0.1
    learning_rate: float = 1e-3
    """The head's."""
    encoder_lr_scale: float = 0.2
    """The last layer's learning rate, as a multiple of the head's."""
    layer_decay: float = 0.1
    """By how much slower each layer learns than the one above it."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"There is no mode {self.mode!r}{did_you_mean(self.mode, MODES)}")
        check_shares(self, "dropout", "layer_decay")
        check_positive(self, "learning_rate", "encoder_lr_scale")

    reads: ClassVar[str] = "subwords"
    pretraining: ClassVar[str | None] = None

    @property
    def learner(self) -> str:
        """How it learns, as far as that is known before the data is."""
        return "convex" if self.mode == "frozen" else "gradient"


@dataclass(frozen=True)
class Names:
    """What an architecture calls things: sizes in its config.json, weights below ``layer`` with the layer's number."""

    embeddings: tuple[str, ...] = ("embeddings.word_embeddings", "embeddings.position_embeddings",
                                   "embeddings.LayerNorm")
    kinds: str = ""
    """The table of token kinds, of which every token here has the first."""
    skipped: int = 0
    """Positions at the beginning of the table that no token ever has."""
    layer: str = "encoder.layer.{}."
    attention: tuple[str, ...] = ("attention.self.query", "attention.self.key", "attention.self.value",
                                  "attention.output.dense", "attention.output.LayerNorm")
    feed_forward: tuple[str, ...] = ("intermediate.dense", "output.dense", "output.LayerNorm")
    relative_positions: str = ""
    sizes: tuple[str, ...] = ("hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size",
                              "hidden_act")


OWN_FEED_FORWARD = ("inner", "outer", "outer_norm")
BERT = Names(kinds="embeddings.token_type_embeddings")
ROBERTA = Names(kinds="embeddings.token_type_embeddings", skipped=2)
ARCHITECTURES = {
    "bert": BERT,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "camembert": ROBERTA,
    "distilbert": Names(
        layer="transformer.layer.{}.",
        attention=("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm"),
        feed_forward=("ffn.lin1", "ffn.lin2", "output_layer_norm"),
        sizes=("dim", "n_heads", "n_layers", "hidden_dim", "activation"),
    ),
    "mpnet": Names(
        skipped=2, relative_positions="encoder.relative_attention_bias",
        attention=("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
                   "attention.LayerNorm"),
    ),
}


def encoder_of(layout: Layout) -> tuple[Bert, dict[str, np.ndarray]]:
    """The encoder's configuration and its weights, by the names of :class:`scansion.families.bert.BertEncoder`.

    UnsafeFolderError for an architecture that is not supported, or weights that are not what config.json says.
    """
    kind = layout.config.get("model_type")
    if kind not in ARCHITECTURES:
        raise UnsafeFolderError(
            f"{layout.where} is of architecture {kind!r}; supported: {', '.join(ARCHITECTURES)}."
        )
    names, config = ARCHITECTURES[kind], layout.config
    kind_of_position = config.get("position_embedding_type", "absolute")
    if kind_of_position != "absolute":
        raise UnsafeFolderError(f"{layout.where} has positions of kind {kind_of_position!r}; supported: absolute.")
    found = _Weights(layout, next((p for p in (f"{kind}.", "roberta.") if _begins(layout.tensors, p)), ""))
    words, positions = (found.array(f"{name}.weight") for name in names.embeddings[:2])
    positions = positions[names.skipped :]
    if names.kinds:
        positions = positions + found.array(f"{names.kinds}.weight")[0]
    weights = {"words.weight": words, "positions": positions} | found.linear("norm", names.embeddings[2])
    width, heads, layers, feed_forward, activation = (_size(config, name, layout.where) for name in names.sizes)
    for number in range(layers):
        weights |= _block(found, names, number)
    if names.relative_positions:
        weights["relative_positions.buckets.weight"] = found.array(f"{names.relative_positions}.weight")
    activation = {"gelu_fast": "gelu_new", "gelu_pytorch_tanh": "gelu_new"}.get(activation, activation)
    if activation not in ACTIVATIONS:
        raise UnsafeFolderError(f"{layout.where} has activation {activation!r}; supported: {', '.join(ACTIVATIONS)}.")
    bert = Bert(
        width, heads, layers, feed_forward, len(positions), activation,
        float(config.get("layer_norm_eps", 1e-12)),
        len(weights["relative_positions.buckets.weight"]) if names.relative_positions else 0,
    )
    return bert, weights


def as_bert(bert: Bert, weights: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The inverse: config.json and tensors of an encoder without relative positions, as a BERT that others read."""
    layers = range(bert.layers)
    config = {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": bert.width,
        "num_attention_heads": bert.heads, "num_hidden_layers": bert.layers, "intermediate_size": bert.feed_forward,
        "hidden_act": bert.activation, "max_position_embeddings": bert.positions, "type_vocab_size": 1,
        "vocab_size": len(weights["words.weight"]), "layer_norm_eps": bert.norm_epsilon,
        "hidden_dropout_prob": bert.dropout, "attention_probs_dropout_prob": 0.0,
    }
    words, positions, norm = BERT.embeddings
    tensors = {
        f"{words}.weight": weights["words.weight"], f"{positions}.weight": weights["positions"],
        f"{BERT.kinds}.weight": np.zeros((1, bert.width), np.float32),
    }
    pairs = {"norm": norm}
    for number in layers:
        mine, theirs = f"blocks.{number}.", BERT.layer.format(number)
        query, key, value, output, attention_norm = (theirs + name for name in BERT.attention)
        pairs |= {f"{mine}attention.query": query, f"{mine}attention.output": output}
        pairs |= {f"{mine}attention_norm": attention_norm}
        pairs |= {mine + ours: theirs + name for ours, name in zip(OWN_FEED_FORWARD, BERT.feed_forward, strict=True)}
        for part in ("weight", "bias"):
            both = np.split(weights[f"{mine}attention.key_value.{part}"], 2)
            tensors |= {f"{name}.{part}": half for name, half in zip((key, value), both, strict=True)}
    for ours, theirs in pairs.items():
        tensors |= {f"{theirs}.{part}": weights[f"{ours}.{part}"] for part in ("weight", "bias")}
    return config, tensors


class _Weights:
    """Tensors by the names of the bare encoder, whatever model they were saved from."""

    def __init__(self, layout: Layout, prefix: str) -> None:
        self.layout, self.prefix = layout, prefix

    def array(self, name: str) -> np.ndarray:
        """As float32."""
        older = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        for written in (name, older):
            if self.prefix + written in self.layout.tensors:
                return np.asarray(self.layout.tensors[self.prefix + written], np.float32)
        raise UnsafeFolderError(f"{self.layout.where} has no weights {self.prefix + name}, which config.json promises.")

    def linear(self, mine: str, theirs: str) -> dict[str, np.ndarray]:
        """A weight and its bias."""
        return {f"{mine}.{part}": self.array(f"{theirs}.{part}") for part in ("weight", "bias")}


def _block(found: _Weights, names: Names, number: int) -> dict[str, np.ndarray]:
    layer, mine = names.layer.format(number), f"blocks.{number}."
    query, key, value, output, attention_norm = (layer + name for name in names.attention)
    weights = found.linear(f"{mine}attention.query", query) | found.linear(f"{mine}attention.output", output)
    for part in ("weight", "bias"):
        both = [found.array(f"{name}.{part}") for name in (key, value)]
        weights[f"{mine}attention.key_value.{part}"] = np.concatenate(both)
    weights |= found.linear(f"{mine}attention_norm", attention_norm)
    for ours, name in zip(OWN_FEED_FORWARD, names.feed_forward, strict=True):
        weights |= found.linear(mine + ours, layer + name)
    return weights


def _begins(tensors: Mapping[str, np.ndarray], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in tensors)


def _size(config: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in config:
        raise UnsafeFolderError(f"{where}: config.json has no {name}.")
    return config[name]
