"""Language models in the layout of Hugging Face, for ``transformers`` and all that reads its folders.

GPT-2 and Llama go back as what they came as.  A Transformer of one's own becomes a GPT-2, exactly, though a GPT-2 has
no bias behind its output, and ours has: it gets one more dimension a head.  What is written to the residual stream is
centred, which no norm notices; so the new dimensions, which stay 0, change the norms' variance by a known factor; and
the last norm makes one of them 1, which the output multiplies by the bias.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from scansion.errors import UsageError
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.gpt2 import GPT2
from scansion.families.llama import Llama
from scansion.layers.positions import sinusoidal_positions
from scansion.learning.weight_average import weights_of
from scansion.models.decoder_layouts import Weights, as_gpt2, as_llama
from scansion.models.neural_language import NeuralLanguage
from scansion.storage.huggingface_layout import write_layout
from scansion.storage.strict_json import json_bytes
from scansion.text.subword_tokenizer import BEGIN, CUTS, END, PADDING, SPECIAL
from scansion.text.text_units import TextUnits

INSIDE = "network."
ONE_CHARACTER = Regex(r"[\s\S]")


class HuggingFaceDecoder:
    """A model and its tokens, to be saved. UsageError for a family, or tokens, that the layout has no place for."""

    def __init__(self, model: NeuralLanguage, units: TextUnits) -> None:
        family = model.network.network.configuration
        if type(family) not in WRITTEN:
            raise UsageError("The layout has no place for recurrent networks. Export a Transformer.")
        self.tokenizer = tokenizer_file(units)
        weights = weights_of(model.network)
        inner = {name.removeprefix(INSIDE): each for name, each in weights.items() if name.startswith(INSIDE)}
        config, self.tensors = WRITTEN[type(family)](family, inner, model.network.head.bias.detach().numpy())
        tokens = {"bos_token_id": model.begin, "eos_token_id": model.end, "vocab_size": len(units)}
        self.config = config | tokens | ({} if units.tokenizer_file else {"pad_token_id": PADDING})
        names = {} if units.tokenizer_file else {
            f"{name}_token": SPECIAL[number] for name, number in (("pad", PADDING), ("bos", BEGIN), ("eos", END))
        }
        self.settings = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False} | names

    def save(self, folder: str | Path) -> None:
        """Write the folder, or over an older one; StorageError for a place that is taken by anything else."""
        write_layout(Path(folder), self.config, self.tensors, self.tokenizer, json_bytes(self.settings))


def own_as_gpt2(family: CausalTransformer, weights: Weights, bias: NDArray) -> tuple[dict[str, Any], Weights]:
    """A Transformer of one's own, a dimension a head wider. UsageError for rotary positions and n-grams."""
    if family.positions != "sinusoidal":
        raise UsageError(
            "A Transformer with rotary positions is neither a GPT-2 nor a Llama, whose norms and gates are others. "
            "Export one with positions=sinusoidal."
        )
    if family.ngrams > 1:
        raise UsageError("GPT-2 has no place for vectors of n-grams. Export a model with ngrams=1.")
    width, heads = family.width, family.heads
    wider, size = width + heads, width // heads
    shrunk = width / wider

    def written(array: NDArray) -> NDArray:
        """What is added to the residual stream, its last dimension D."""
        return np.pad(array - array.mean(axis=-1, keepdims=True), [(0, 0)] * (array.ndim - 1) + [(0, heads)])

    def read(array: NDArray) -> NDArray:
        return np.pad(array, [(0, 0), (0, heads)])

    def headed(array: NDArray) -> NDArray:
        """What a head has a dimension more of, its first dimension D."""
        apart = array.reshape(heads, size, *array.shape[1:])
        return np.pad(apart, [(0, 0), (0, 1)] + [(0, 0)] * (array.ndim - 1)).reshape(wider, *array.shape[1:])

    from_table = weights["embedding.weight"]
    found = {
        "embedding.weight": written(from_table * width**0.5),
        "positions": written(_sinusoids(family)), "output": np.concatenate([from_table, bias[:, None]], axis=1),
    }
    found["output"] = np.pad(found["output"], [(0, 0), (0, heads - 1)])
    for name, array in weights.items():
        kind, part = name.split(".")[-2:]
        if kind in ("attention_norm", "norm"):
            found[name] = np.pad(array * (shrunk**0.5 if part == "weight" else 1.0), (0, heads))
        elif kind == "query":
            scaled = headed(array) * ((size + 1) / size) ** 0.5
            found[name] = read(scaled) if part == "weight" else scaled
        elif kind == "key_value":
            both = np.concatenate([headed(half) for half in np.split(array, 2)])
            found[name] = read(both) if part == "weight" else both
        elif kind == "output":
            found[name] = headed(written(array.T)).T if part == "weight" else written(array)
        elif kind == "outer":
            found[name] = written(array.T).T if part == "weight" else written(array)
        elif kind == "inner":
            found[name] = read(array) if part == "weight" else array
    found["norm.bias"][width] = 1.0
    norm_epsilon = 1e-5 * shrunk
    gpt2 = GPT2(
        wider, heads, family.layers, family.feed_forward, family.context, "relu", norm_epsilon, tied=False
    )
    return as_gpt2(gpt2, {name: np.ascontiguousarray(each, np.float32) for name, each in found.items()})


def _sinusoids(family: CausalTransformer) -> NDArray:
    from_layer: NDArray = sinusoidal_positions(family.context, family.width).numpy()
    return from_layer


WRITTEN: dict[type, Callable[[Any, Weights, NDArray], tuple[dict[str, Any], Weights]]] = {
    CausalTransformer: own_as_gpt2,
    GPT2: lambda family, weights, bias: as_gpt2(family, weights),
    Llama: lambda family, weights, bias: as_llama(family, weights),
}
"""By family."""


# Tokenizers


def _subwords(units: Any) -> Tokenizer:
    found = Tokenizer(models.BPE(
        {subword: number for number, subword in enumerate(units.tokenizer.subwords)}, list(units.tokenizer.merges)
    ))
    found.normalizer = normalizers.Prepend(units.prefix)
    found.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(CUTS, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    ])
    found.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(units.prefix, 1, 0)])
    return found


def _characters(units: Any) -> Tokenizer:
    words = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *units.pieces]
    found = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, [], byte_fallback=True))
    found.pre_tokenizer = pre_tokenizers.Split(ONE_CHARACTER, "isolated")
    found.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return found


TOKENIZERS: dict[str, Callable[[Any], Tokenizer]] = {
    "subwords": _subwords, "characters": _characters, "bytes": _characters,
}
"""By the name of units, what cuts texts in the same way."""


def tokenizer_file(units: TextUnits) -> bytes:
    """A ``tokenizer.json`` that cuts texts as these units do. UsageError for words, which are spelled if unknown."""
    if units.tokenizer_file:
        return units.tokenizer_file
    if units.name not in TOKENIZERS:
        raise UsageError(
            f"Tokens that are {units.name} cannot be written for the tokenizers library: what is not among them is "
            f"spelled in bytes. Fit the model with --tokens {' or '.join(TOKENIZERS)}."
        )
    tokenizer = TOKENIZERS[units.name](units)
    tokenizer.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{SPECIAL[BEGIN]} $A", special_tokens=[(SPECIAL[BEGIN], BEGIN)]
    )
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False).encode()
