"""A Transformer that writes, inside CTranslate2: one of one's own, a GPT-2 or a Llama.

The likeliest token is taken, and the text is scansion's own.  Its draws cannot be repeated: a thread keeps its random
numbers from one text to the next.  It has no window that moves on: a text ends within the context.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from scansion.decoding.filters import Sampling
from scansion.errors import UsageError
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.gpt2 import GPT2
from scansion.families.llama import Llama
from scansion.models.ctranslate2 import (
    array,
    finished,
    library,
    loading,
    put_linear,
    put_norm,
    put_self_attention,
    save_new,
)
from scansion.models.language_writer import CUT, STOPPED, TextSoFar, Written, check_writing
from scansion.models.neural_language import NeuralLanguage
from scansion.models.precision import PRECISIONS, Precision
from scansion.processors import cores
from scansion.storage.scratch import scratch_folder
from scansion.text.subword_tokenizer import SPECIAL
from scansion.text.text_units import BYTES, TextUnits

IMPOSSIBLE = -1e9  # a logit
ACTIVATIONS = {"relu": "RELU", "gelu": "GELU", "gelu_new": "GELUTanh", "gelu_pytorch_tanh": "GELUTanh"}
"""By their names in config.json, what CTranslate2 calls them."""


class CTranslate2Decoder:
    """A fitted language model, by ``replicas`` of one thread each, by default one a core."""

    def __init__(
        self, model: NeuralLanguage, units: TextUnits, precision: Precision = "float32", replicas: int | None = None
    ) -> None:
        """MissingExtraError without the package, UsageError for a family it cannot run or an unknown precision."""
        if precision not in PRECISIONS:
            raise UsageError(f"The precision is {' or '.join(PRECISIONS)}; got {precision!r}.")
        self.units, self.names = units, names_of(units, len(model.network.network.output_embedding))
        self.specification = specification_of(model, self.names, precision)
        self.context = model.network.network.context
        with loading(), scratch_folder("ctranslate2") as folder:
            self.specification.save(str(folder))
            self.generator = library().Generator(
                str(folder), compute_type=precision, inter_threads=replicas or cores(), intra_threads=1
            )

    def writing(
        self, prompts: Sequence[str], sampling: Sampling, max_tokens: int, stop: Sequence[str], seed: int
    ) -> Iterator[Written]:
        """What is written after each prompt, as by :func:`scansion.models.language_writer.writing`, a text at a time.

        Nothing depends on the seed.  UsageError for draws, for a penalty for repetition, and for more tokens than the
        context has.
        """
        check_writing(max_tokens, stop)
        if sampling.temperature > 0:
            raise UsageError(
                "CTranslate2 draws anew every time, whatever the seed. Take the likeliest token with --temperature 0, "
                "or leave out --engine."
            )
        if sampling.repetition_penalty is not None:
            raise UsageError("CTranslate2's penalty for repetition is another one. Leave it out, or --engine.")
        encoded = self.units.encode(prompts)
        read = [
            encoded.ids[at : at + length - 1].tolist()
            for at, length in zip(encoded.starts.tolist(), encoded.lengths.tolist(), strict=True)
        ]
        longest = max(map(len, read), default=1)
        room = self.context + 1 - longest  # the last token that is written is not read again
        if max_tokens > room:
            most = f"Ask for at most {room} tokens with --max-tokens" if room > 0 else "Shorten it"
            raise UsageError(
                f"CTranslate2 writes within the context of {self.context} tokens, and the longest prompt has "
                f"{longest - 1}. {most}, or leave out --engine."
            )
        written: list[list[int]] = [[] for _ in read]
        for length in sorted({len(row) for row in read}):  # among shorter prompts a part of a longer one is written
            some = [number for number, row in enumerate(read) if len(row) == length]
            found = self.generator.generate_batch(
                [[self.names[token] for token in read[number]] for number in some], max_length=max_tokens,
                include_prompt_in_result=False,
            )
            for number, each in zip(some, found, strict=True):
                written[number] = each.sequences_ids[0]
        return self._told(prompts, written, max_tokens, stop)

    def _told(
        self, prompts: Sequence[str], written: list[list[int]], max_tokens: int, stop: Sequence[str]
    ) -> Iterator[Written]:
        for number, (prompt, tokens) in enumerate(zip(prompts, written, strict=True)):
            text = TextSoFar(stop, "" if prompt else self.units.prefix)
            for token in tokens:
                yield Written(number, text.more(self.units.spellings[token], ends=False))
                if text.stopped:
                    break
            cut = len(tokens) == max_tokens and not text.stopped
            yield Written(number, text.more(b"", ends=True), CUT if cut else STOPPED)

    def save(self, folder: str | Path) -> None:
        """The folder that CTranslate2 loads; StorageError if it is there already."""
        save_new(self.specification, folder)


def names_of(units: TextUnits, size: int) -> list[str]:
    """A name of its own for each of ``size`` tokens: CTranslate2 knows them by these."""
    if units.tokenizer_file:
        library_of_tokens = Tokenizer.from_str(units.tokenizer_file.decode())
        found = [library_of_tokens.id_to_token(number) for number in range(size)]
        return [f"<unused {number}>" if name is None else name for number, name in enumerate(found)]
    return NAMES[units.name](units)


def _pieces(units: Any) -> list[str]:
    return [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(BYTES)), *units.pieces]


NAMES: dict[str, Callable[[Any], list[str]]] = {
    "subwords": lambda units: units.tokenizer.subwords, "characters": _pieces, "bytes": _pieces, "words": _pieces,
}
"""By the name of units."""


def specification_of(model: NeuralLanguage, names: Sequence[str], precision: Precision) -> Any:
    """The model as CTranslate2's own description of a model."""
    network: Any = model.network.network
    if type(network.configuration) not in DESCRIBED:
        raise UsageError("CTranslate2 runs Transformers only; this family is not one.")
    found = DESCRIBED[type(network.configuration)](network)
    decoder = found.decoder
    decoder.scale_embeddings = False
    decoder.projection.weight = array(network.output_embedding)
    decoder.projection.bias = array(model.network.head.bias)
    decoder.projection.bias[list(model.never_written)] = IMPOSSIBLE
    found.register_vocabulary(list(names))
    found.config.bos_token, found.config.eos_token = names[model.begin], names[model.end]
    found.config.unk_token = names[model.begin]
    return finished(found, precision)


def _own(network: Any) -> Any:
    """A Transformer of one's own."""
    configuration = network.configuration
    if network.ngrams is not None:
        raise UsageError("CTranslate2 has no place for vectors of n-grams. Use a model with ngrams=1.")
    rotary = {} if network.turns is None else {"rotary_dim": 0, "rotary_interleave": False}
    found = _empty(configuration)(**rotary)
    found.decoder.embeddings.weight = array(network.embedding.weight * configuration.width**0.5)
    if network.positions is not None:
        found.decoder.position_encodings.encodings = array(network.positions)
    _layers(found, network, 1e-5)
    return found


def _gpt2(network: Any) -> Any:
    configuration = network.configuration
    if configuration.activation not in ACTIVATIONS:
        raise UsageError(f"CTranslate2 has no activation {configuration.activation!r}. Leave out --engine.")
    activation = getattr(library().specs.common_spec.Activation, ACTIVATIONS[configuration.activation])
    found = _empty(configuration)(activation=activation)
    found.decoder.embeddings.weight = array(network.embedding.weight)
    found.decoder.position_encodings.encodings = array(network.positions)
    _layers(found, network, configuration.norm_epsilon)
    return found


def _llama(network: Any) -> Any:
    configuration = network.configuration
    heads, groups, size = configuration.heads, configuration.key_value_heads, configuration.head_size
    found = _empty(configuration)(
        activation=library().specs.common_spec.Activation.SWISH, ffn_glu=True, rms_norm=True,
        rotary_dim=0, rotary_interleave=False, rotary_base=configuration.rotary_base,
        num_heads_kv=None if groups == heads else groups,
        head_dim=None if heads * size == configuration.width else size,
    )
    found.decoder.embeddings.weight = array(network.embedding.weight)
    found.decoder.layer_norm.gamma = array(network.norm.weight)
    for place, mine in zip(found.decoder.layer, network.blocks, strict=True):
        attention = place.self_attention
        attention.layer_norm.gamma = array(mine.attention_norm.weight)
        attention.linear[0].weight = array(torch.cat([mine.attention.query.weight, mine.attention.key_value.weight]))
        attention.linear[1].weight = array(mine.attention.output.weight)
        place.ffn.layer_norm.gamma = array(mine.norm.weight)
        for linear, weights in (("linear_0", mine.gate), ("linear_0_noact", mine.inner), ("linear_1", mine.outer)):
            getattr(place.ffn, linear).weight = array(weights.weight)
    found.config.layer_norm_epsilon = configuration.norm_epsilon
    return found


DESCRIBED: dict[type, Callable[[Any], Any]] = {CausalTransformer: _own, GPT2: _gpt2, Llama: _llama}
"""By family."""


def _empty(configuration: Any) -> Callable[..., Any]:
    """What makes a description without weights, from how its layers are."""
    of = library().specs.TransformerDecoderModelSpec
    return partial(of.from_config, configuration.layers, configuration.heads, pre_norm=True)


def _layers(found: Any, network: Any, epsilon: float) -> None:
    put_norm(found.decoder.layer_norm, network.norm)
    for place, mine in zip(found.decoder.layer, network.blocks, strict=True):
        put_norm(place.self_attention.layer_norm, mine.attention_norm)
        put_self_attention(place.self_attention, mine.attention)
        put_norm(place.ffn.layer_norm, mine.feed_forward.norm)
        put_linear(place.ffn.linear_0, mine.feed_forward.inner)
        put_linear(place.ffn.linear_1, mine.feed_forward.outer)
    found.config.layer_norm_epsilon = epsilon
