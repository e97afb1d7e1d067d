"""Pretrained encoders: weights that somebody learned once, on plenty of text (Devlin et al. 2019).

Whatever its name, BERT, RoBERTa, DistilBERT and MPNet are the network of :mod:`scansion.families.bert`; what differs is
how their files call its parts, and that is the table below.  ``frozen``, the encoder gives vectors to a linear head;
``fine-tuned``, it is trained with its head, lower layers slower (Howard and Ruder 2018, section 3.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import numpy as np

from scansion.errors import UnsafeFolderError, UsageError, did_you_mean
from scansion.families.bert import Bert
from scansion.layers.pooling import POOLINGS
from scansion.options import check_positive, check_shares
from scansion.storage.encoder_weights import EncoderWeights
from scansion.storage.huggingface_layout import Layout

MODES = ("auto", "frozen", "fine-tuned")
DECLARED = "declared"


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
    pooling: str = DECLARED
    """How a frozen text's vector is made of its tokens': cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken;
    or as the folder declares, by the mean where it declares nothing."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"There is no mode {self.mode!r}{did_you_mean(self.mode, MODES)}")
        if self.pooling not in (DECLARED, *POOLINGS):
            raise UsageError(f"There is no pooling {self.pooling!r}{did_you_mean(self.pooling, (DECLARED, *POOLINGS))}")
        if self.pooling != DECLARED and self.mode == "fine-tuned":
            raise UsageError("pooling is of frozen vectors; a fine-tuned encoder's head sees their mean and maximum.")
        check_shares(self, "dropout", "layer_decay")
        check_positive(self, "learning_rate", "encoder_lr_scale")

    reads: ClassVar[str] = "subwords"
    pretraining: ClassVar[str | None] = None

    @property
    def learner(self) -> str:
        """How it learns, as far as that is known before the data is."""
        return "convex" if self.mode == "frozen" else "gradient"

    @property
    def soonest(self) -> "Pretrained":
        """As it is fitted where there is little time."""
        return replace(self, mode="frozen") if self.mode == "auto" else self


@dataclass(frozen=True)
class Names:
    """What an architecture calls things: sizes in its config.json, weights below ``layer`` with the layer's number."""

    embeddings: tuple[str, ...] = ("embeddings.word_embeddings", "embeddings.position_embeddings",
                                   "embeddings.LayerNorm")
    kinds: str = ""
    """The table of token kinds, of which every token here has the first."""
    skipped: Callable[[Mapping[str, Any]], Any] = lambda config: 0
    """Positions at the beginning of the table that no token ever has."""
    norm_epsilon: str = "layer_norm_eps"
    layer: str = "encoder.layer.{}."
    attention: tuple[str, ...] = ("attention.self.query", "attention.self.key", "attention.self.value",
                                  "attention.output.dense", "attention.output.LayerNorm")
    feed_forward: tuple[str, ...] = ("intermediate.dense", "output.dense", "output.LayerNorm")
    relative_positions: str = ""
    sizes: tuple[str, ...] = ("hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size",
                              "hidden_act")


OWN_FEED_FORWARD = ("inner", "outer", "outer_norm")
NORM_EPSILON = 1e-12
BERT = Names(kinds="embeddings.token_type_embeddings")
ROBERTA = Names(  # positions are counted from behind that of padding, which bears the number of its token
    kinds="embeddings.token_type_embeddings", skipped=lambda config: _whole(config, "pad_token_id", 1) + 1
)
ARCHITECTURES = {
    "bert": BERT,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "camembert": ROBERTA,
    "distilbert": Names(
        layer="transformer.layer.{}.", norm_epsilon="",
        attention=("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm"),
        feed_forward=("ffn.lin1", "ffn.lin2", "output_layer_norm"),
        sizes=("dim", "n_heads", "n_layers", "hidden_dim", "activation"),
    ),
    "mpnet": Names(
        skipped=lambda config: 2, relative_positions="encoder.relative_attention_bias",
        attention=("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
                   "attention.LayerNorm"),
    ),
}
OTHER_NAMES = {"gelu_python": "gelu", "gelu_fast": "gelu_new", "gelu_accurate": "gelu_new",
               "gelu_pytorch_tanh": "gelu_new", "gelu_python_tanh": "gelu_new"}
"""Of activations."""


def encoder_of(layout: Layout, most_tokens: int | None = None) -> tuple[Bert, dict[str, np.ndarray]]:
    """The encoder's configuration and its weights, by the names of :class:`scansion.families.bert.BertEncoder`.

    Of its positions only ``most_tokens`` are kept, if it is said that no more are to be used.
    UnsafeFolderError for an architecture that is not supported, or weights that are not what config.json says.
    """
    try:
        return _encoder_of(layout, most_tokens)
    except UsageError as error:  # what config.json says
        raise UnsafeFolderError(f"{layout.where}/config.json: {error}") from error


def words_of(layout: Layout) -> int:
    """How many words the weights know, told before they are read. UnsafeFolderError as of :func:`encoder_of`."""
    table = f"{_names(layout).embeddings[0]}.weight"
    return (EncoderWeights(layout, table).shape(table) or (0,))[0]


def _names(layout: Layout) -> Names:
    kind = layout.config.get("model_type")
    if str(kind) not in ARCHITECTURES:
        raise UnsafeFolderError(f"{layout.where} is of architecture {kind!r}; supported: {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[str(kind)]


def _encoder_of(layout: Layout, most_tokens: int | None) -> tuple[Bert, dict[str, np.ndarray]]:
    config, names = layout.config, _names(layout)
    _check_plain(config, layout.where)
    width, heads, layers, feed_forward = (_whole(config, name) for name in names.sizes[:4])
    found = EncoderWeights(layout, f"{names.embeddings[0]}.weight")
    tables = [f"{name}.weight" for name in names.embeddings[:2]]
    for table, name in zip(tables, ("vocab_size", "max_position_embeddings"), strict=True):
        rows, *others = found.shape(table) or (0,)
        if _whole(config, name, rows) != rows:
            raise UsageError(f"{name} is {config[name]:,}, and the weights have {rows:,} rows.")
        if others != [width]:
            raise UsageError(f"{names.sizes[0]} is {width:,}, and a row of the weights has {prod(others):,} numbers.")
    words, positions = (found.array(table) for table in tables)
    positions = positions[names.skipped(config) :][:most_tokens]
    if names.kinds:
        positions = positions + found.array(f"{names.kinds}.weight")[0]
    weights = {"words.weight": words, "positions": positions} | found.linear("norm", names.embeddings[2], width)
    for number in range(layers):
        weights |= _block(found, names, number, width, feed_forward)
    if names.relative_positions:
        weights["relative_positions.buckets.weight"] = found.array(f"{names.relative_positions}.weight")
    activation = config.get(names.sizes[4], "gelu")
    bert = Bert(
        width, heads, layers, feed_forward, len(positions), OTHER_NAMES.get(str(activation), str(activation)),
        config.get(names.norm_epsilon, NORM_EPSILON),
        len(weights["relative_positions.buckets.weight"]) if names.relative_positions else 0,
    )
    return bert, weights


def _check_plain(config: Mapping[str, Any], where: str) -> None:
    """UnsafeFolderError for what the architecture can be, and this network is not."""
    kind = config.get("position_embedding_type") or "absolute"
    if kind != "absolute":
        raise UnsafeFolderError(f"{where} has positions of kind {kind!r}; supported: absolute.")
    if config.get("is_decoder"):
        raise UnsafeFolderError(f"{where} is a decoder, whose positions do not see what follows; encoders are read.")


def _whole(config: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = config.get(name, default)
    if type(value) is not int or value < 0:
        raise UsageError(f"{name} must be a whole number of at least 0; got {value!r}.")
    return value


def _block(found: EncoderWeights, names: Names, number: int, width: int, inner: int) -> dict[str, np.ndarray]:
    layer, mine = names.layer.format(number), f"blocks.{number}."
    query, key, value, output, attention_norm = (layer + name for name in names.attention)
    weights = found.linear(f"{mine}attention.query", query, width, width)
    weights |= found.linear(f"{mine}attention.output", output, width, width)
    for part, shape in (("weight", (width, width)), ("bias", (width,))):
        both = [found.array(f"{name}.{part}", *shape) for name in (key, value)]
        weights[f"{mine}attention.key_value.{part}"] = np.concatenate(both)
    weights |= found.linear(f"{mine}attention_norm", attention_norm, width)
    shapes = ((inner, width), (width, inner), (width,))
    for ours, name, linear in zip(OWN_FEED_FORWARD, names.feed_forward, shapes, strict=True):
        weights |= found.linear(mine + ours, layer + name, *linear)
    return weights
