"""Pretrained decoders in the layout of Hugging Face: what config.json may say and what tensors are called.

GPT-2 keeps every matrix of a layer transposed, and queries, keys and values in one.  Llama's pairs of rotary positions
are the halves of a head (:mod:`scansion.layers.rotary`); checkpoints of Meta's, with pairs side by side, are converted
before they are in this layout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.errors import UnsafeFolderError, UsageError, shown
from scansion.families.gpt2 import GPT2
from scansion.families.llama import Llama
from scansion.families.pretrained import ARCHITECTURES as ENCODERS
from scansion.families.pretrained import OTHER_NAMES
from scansion.storage.huggingface_layout import Layout
from scansion.storage.limits import CONFIG
from scansion.storage.schema import from_json

Tensors = Mapping[str, NDArray]
Weights = dict[str, NDArray]
Number = int | float

GPT2_PREFIX, LLAMA_PREFIX = "transformer.", "model."
HEAD = "lm_head.weight"


@dataclass(frozen=True, kw_only=True)
class CommonConfig:
    """Fields of config.json that every architecture has; those of no weight here may be anything plain."""

    model_type: str
    vocab_size: int
    bos_token_id: int | None = None
    eos_token_id: int | tuple[int, ...] | None = None
    pad_token_id: int | None = None
    tie_word_embeddings: bool = True
    architectures: tuple[str, ...] | None = None
    transformers_version: str | None = None
    dtype: str | None = None
    torch_dtype: str | None = None
    use_cache: bool = True
    initializer_range: float = 0.02
    name_or_path: str = ""
    _name_or_path: str = ""
    tokenizer_class: str | None = None
    output_past: bool = True


@dataclass(frozen=True, kw_only=True)
class GPT2Config(CommonConfig):
    """config.json of a GPT-2."""

    n_embd: int = 768
    n_head: int = 12
    n_layer: int = 12
    n_positions: int = 1024
    n_ctx: int | None = None
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    layer_norm_epsilon: float = 1e-5
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    reorder_and_upcast_attn: bool = False
    add_cross_attention: bool = False
    attn_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    resid_pdrop: float = 0.1
    summary_activation: str | None = None
    summary_first_dropout: float = 0.1
    summary_proj_to_labels: bool = True
    summary_type: str = "cls_index"
    summary_use_proj: bool = True
    task_specific_params: dict[str, dict[str, bool | int | float | str]] | None = None


@dataclass(frozen=True, kw_only=True)
class LlamaConfig(CommonConfig):
    """config.json of a Llama."""

    hidden_size: int
    num_attention_heads: int
    num_hidden_layers: int
    intermediate_size: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    max_position_embeddings: int = 2048
    hidden_act: str = "silu"
    rms_norm_eps: float = 1e-6
    rope_theta: Number | None = None
    rope_scaling: dict[str, str | Number | bool | tuple[Number, ...]] | None = None
    rope_parameters: dict[str, str | Number | bool | tuple[Number, ...]] | None = None
    rope_interleaved: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    attention_dropout: float = 0.0
    pretraining_tp: int = 1
    is_llama_config: bool = True
    tie_word_embeddings: bool = False


@dataclass(frozen=True)
class Decoder:
    """A decoder as it was read: its configuration, its weights by the names of its network, and its own tokens."""

    family: Any
    weights: Weights
    begin: int
    end: int

    @property
    def size(self) -> int:
        """How many tokens it knows."""
        return len(self.weights["embedding.weight"])


class Taken:
    """The tensors of a folder, each of which is asked for once; those that nobody asked for are an error."""

    def __init__(self, layout: Layout, prefix: str) -> None:
        self.where, self.tensors, self.prefix, self.asked = layout.where, layout.tensors, prefix, set[str]()
        if not any(name.startswith(prefix) for name in self.tensors):
            self.prefix = ""  # of a model that was saved without its head

    def __call__(self, name: str, *shape: int) -> NDArray:
        """A tensor below the prefix. UnsafeFolderError if it is not there, or of another shape."""
        return self.named(self.prefix + name, *shape)

    def named(self, name: str, *shape: int) -> NDArray:
        """A tensor by its whole name."""
        self.asked.add(name)
        if name not in self.tensors:
            raise UnsafeFolderError(f"{self.where} has no tensor {name}, which {CONFIG} promises.")
        found = self.tensors.entry(name)
        if found.shape != shape or found.read.kind != "f":
            raise UnsafeFolderError(
                f"{self.where}: {CONFIG} asks for {shape} numbers in {name}; it is {found.read} {found.shape}."
            )
        return np.ascontiguousarray(self.tensors[name], np.float32)

    def finish(self, harmless: Callable[[str], bool]) -> None:
        """UnsafeFolderError for a tensor that was not asked for and is not known to be harmless."""
        for name in sorted(self.tensors.keys() - self.asked):
            if not harmless(name):
                raise UnsafeFolderError(f"{self.where} has the tensor {shown(name)}, which is no part of this model.")


def decoder_of(layout: Layout) -> Decoder:
    """The decoder in a folder. UnsafeFolderError for another architecture, and for what does not fit together."""
    kind, where = layout.config.get("model_type"), f"{layout.where}/{CONFIG}"
    if kind in ENCODERS:
        raise UnsafeFolderError(
            f"{layout.where} is of architecture {kind!r}, an encoder, which does not write. It is for documents with "
            f"answers: scansion fit DATA --family pretrained --from {layout.where}."
        )
    if kind not in READ:
        raise UnsafeFolderError(
            f"{layout.where} is of architecture {kind!r}; language models are read of: {', '.join(READ)}."
        )
    schema, read = READ[str(kind)]
    config: Any = from_json(schema, dict(layout.config), where)
    try:
        family, weights = read(config, layout)
    except UsageError as error:
        raise UnsafeFolderError(f"{where}: {error}") from error
    ends = config.eos_token_id
    if isinstance(ends, tuple):
        if len(ends) != 1:
            raise UnsafeFolderError(f"{where}: eos_token_id names {len(ends)} tokens. Leave the one that ends a text.")
        (ends,) = ends
    begin = ends if config.bos_token_id is None else config.bos_token_id
    for name, token in (("bos_token_id", begin), ("eos_token_id", ends)):
        if token is None or not 0 <= token < config.vocab_size:
            raise UnsafeFolderError(f"{where}: {name} must be one of its {config.vocab_size:,} tokens, got {token!r}.")
    return Decoder(family, weights, int(begin or 0), int(ends or 0))


def _refuse(given: dict[str, Any], plain: dict[str, Any]) -> None:
    for name, value in plain.items():
        if given[name] != value:
            raise UsageError(f"{name} {given[name]!r} is not supported; only {value!r} is.")


def read_gpt2(config: GPT2Config, layout: Layout) -> tuple[GPT2, Weights]:
    """GPT-2."""
    _refuse(vars(config), {
        "scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False,
    })
    width, inner = config.n_embd, 4 * config.n_embd if config.n_inner is None else config.n_inner
    activation = OTHER_NAMES.get(config.activation_function, config.activation_function)
    family = GPT2(
        width, config.n_head, config.n_layer, inner, config.n_positions, activation, config.layer_norm_epsilon,
        config.tie_word_embeddings,
    )
    take, size = Taken(layout, GPT2_PREFIX), config.vocab_size
    weights = {
        "embedding.weight": take("wte.weight", size, width), "positions": take("wpe.weight", config.n_positions, width)
    }
    if not family.tied:
        weights["output"] = take.named(HEAD, size, width)
    pairs = {"norm": "ln_f"}
    for number in range(config.n_layer):
        mine, theirs = f"blocks.{number}.", f"h.{number}."
        matrix = take(f"{theirs}attn.c_attn.weight", width, 3 * width).T
        bias = take(f"{theirs}attn.c_attn.bias", 3 * width)
        for part, both in (("weight", matrix), ("bias", bias)):
            weights[f"{mine}attention.query.{part}"] = np.ascontiguousarray(both[:width])
            weights[f"{mine}attention.key_value.{part}"] = np.ascontiguousarray(both[width:])
        for ours, name, shape in (
            ("attention.output", "attn.c_proj", (width, width)), ("feed_forward.inner", "mlp.c_fc", (width, inner)),
            ("feed_forward.outer", "mlp.c_proj", (inner, width)),
        ):
            weights[f"{mine}{ours}.weight"] = np.ascontiguousarray(take(f"{theirs}{name}.weight", *shape).T)
            weights[f"{mine}{ours}.bias"] = take(f"{theirs}{name}.bias", shape[1])
        pairs |= {f"{mine}attention_norm": f"{theirs}ln_1", f"{mine}feed_forward.norm": f"{theirs}ln_2"}
    weights |= {f"{ours}.{part}": take(f"{name}.{part}", width) for ours, name in pairs.items()
                for part in ("weight", "bias")}
    # masks of older files, and the head where it is the embedding
    take.finish(lambda name: name.endswith((".attn.bias", ".attn.masked_bias")) or (family.tied and name == HEAD))
    return family, weights


def read_llama(config: LlamaConfig, layout: Layout) -> tuple[Llama, Weights]:
    """Llama."""
    rope: dict[str, Any] = {"rope_type": "default"} | (config.rope_scaling or {}) | (config.rope_parameters or {})
    kind = rope.get("type", rope["rope_type"])
    if kind != "default" or rope.keys() - {"rope_type", "type", "rope_theta"}:
        raise UsageError(f"rope_scaling of type {kind!r} is not supported; only rotary positions without it are.")
    _refuse(vars(config), {
        "hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "rope_interleaved": False,
    })
    width, heads, inner, size = (
        config.hidden_size, config.num_attention_heads, config.intermediate_size, config.vocab_size
    )
    groups = heads if config.num_key_value_heads is None else config.num_key_value_heads
    head_size = width // max(1, heads) if config.head_dim is None else config.head_dim
    base = config.rope_theta if config.rope_theta is not None else rope.get("rope_theta", 10_000.0)
    family = Llama(
        width, heads, groups, head_size, config.num_hidden_layers, inner, config.max_position_embeddings, float(base),
        config.rms_norm_eps, config.tie_word_embeddings,
    )
    take = Taken(layout, LLAMA_PREFIX)
    weights = {"embedding.weight": take("embed_tokens.weight", size, width), "norm.weight": take("norm.weight", width)}
    if not family.tied:
        weights["output"] = take.named(HEAD, size, width)
    for number in range(config.num_hidden_layers):
        mine, theirs = f"blocks.{number}.", f"layers.{number}."
        keys, values = (
            take(f"{theirs}self_attn.{name}.weight", groups * head_size, width) for name in ("k_proj", "v_proj")
        )
        weights[f"{mine}attention.key_value.weight"] = np.concatenate([keys, values])
        for ours, (name, shape) in LLAMA_LAYER.items():
            sizes = {"D": width, "Q": heads * head_size, "F": inner}
            weights[f"{mine}{ours}.weight"] = take(f"{theirs}{name}.weight", *(sizes[each] for each in shape))
    take.finish(lambda name: name.endswith("rotary_emb.inv_freq") or (family.tied and name == HEAD))
    return family, weights


LLAMA_LAYER = {
    "attention.query": ("self_attn.q_proj", "QD"), "attention.output": ("self_attn.o_proj", "DQ"),
    "gate": ("mlp.gate_proj", "FD"), "inner": ("mlp.up_proj", "FD"), "outer": ("mlp.down_proj", "DF"),
    "attention_norm": ("input_layernorm", "D"), "norm": ("post_attention_layernorm", "D"),
}
READ: dict[str, tuple[type, Callable[[Any, Layout], tuple[Any, Weights]]]] = {
    "gpt2": (GPT2Config, read_gpt2), "llama": (LlamaConfig, read_llama),
}
"""By model_type."""


def as_llama(family: Llama, weights: Tensors) -> tuple[dict[str, Any], Weights]:
    """The inverse: config.json and tensors."""
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": family.width,
        "num_attention_heads": family.heads, "num_key_value_heads": family.key_value_heads,
        "head_dim": family.head_size, "num_hidden_layers": family.layers, "intermediate_size": family.feed_forward,
        "max_position_embeddings": family.context, "hidden_act": "silu", "rms_norm_eps": family.norm_epsilon,
        "rope_theta": family.rotary_base, "tie_word_embeddings": family.tied,
    }
    tensors = {
        f"{LLAMA_PREFIX}embed_tokens.weight": weights["embedding.weight"],
        f"{LLAMA_PREFIX}norm.weight": weights["norm.weight"],
    }
    if not family.tied:
        tensors[HEAD] = weights["output"]
    for number in range(family.layers):
        mine, theirs = f"blocks.{number}.", f"{LLAMA_PREFIX}layers.{number}."
        keys, values = np.split(weights[f"{mine}attention.key_value.weight"], 2)
        tensors |= {f"{theirs}self_attn.k_proj.weight": keys, f"{theirs}self_attn.v_proj.weight": values}
        for ours, (name, _) in LLAMA_LAYER.items():
            tensors[f"{theirs}{name}.weight"] = weights[f"{mine}{ours}.weight"]
    return config, tensors


def as_gpt2(family: GPT2, weights: Tensors) -> tuple[dict[str, Any], Weights]:
    """The inverse: config.json and tensors."""
    config = {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": family.width, "n_head": family.heads,
        "n_layer": family.layers, "n_inner": family.feed_forward, "n_positions": family.context,
        "activation_function": family.activation, "layer_norm_epsilon": family.norm_epsilon,
        "tie_word_embeddings": family.tied,
    }
    tensors = {"wte.weight": weights["embedding.weight"], "wpe.weight": weights["positions"]}
    pairs = {"norm": "ln_f"}
    for number in range(family.layers):
        mine, theirs = f"blocks.{number}.", f"h.{number}."
        for part in ("weight", "bias"):
            both = [weights[f"{mine}attention.{name}.{part}"] for name in ("query", "key_value")]
            tensors[f"{theirs}attn.c_attn.{part}"] = np.concatenate(both).T
            for ours, name in (("attention.output", "attn.c_proj"), ("feed_forward.inner", "mlp.c_fc"),
                               ("feed_forward.outer", "mlp.c_proj")):
                tensors[f"{theirs}{name}.{part}"] = weights[f"{mine}{ours}.{part}"].T
        pairs |= {f"{mine}attention_norm": f"{theirs}ln_1", f"{mine}feed_forward.norm": f"{theirs}ln_2"}
    tensors |= {f"{name}.{part}": weights[f"{ours}.{part}"] for ours, name in pairs.items()
                for part in ("weight", "bias")}
    found = {GPT2_PREFIX + name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return config, found | ({} if family.tied else {HEAD: weights["output"]})
