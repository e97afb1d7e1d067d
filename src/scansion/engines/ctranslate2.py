"""A Transformer that translates, inside CTranslate2 (Klein et al. 2020), which is made for nothing else.

The same weights in the layout it takes: queries, keys and values of self-attention in one matrix, keys and values of
attention to the source in one.  Beam search, its length normalisation and the bounds on a translation are as in
:mod:`scansion.decoding.beam`.
"""

import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from scansion.decoding.beam import LENGTH_PENALTY, most_tokens
from scansion.decoding.state import Hypothesis
from scansion.engines.engine import Engine
from scansion.errors import MissingExtraError, StorageError, UsageError
from scansion.families.transformer_encoder_decoder import EncoderDecoder
from scansion.layers.attention import MultiHeadAttention
from scansion.layers.feed_forward import FeedForward
from scansion.learning.writer import Writer
from scansion.text.batches import Sequences
from scansion.text.pairs import Pairs
from scansion.text.subwords import BEGIN, END, PADDING, Subwords

Precision = Literal["float32", "int8"]
PRECISIONS = ("float32", "int8")
TOKENS_AT_A_TIME = 512


class CTranslate2(Engine):
    """Translates what ``writer`` would, by ``replicas`` of one thread each."""

    def __init__(self, writer: Writer, subwords: Subwords, precision: Precision, replicas: int) -> None:
        """MissingExtraError without the package, UsageError for a writer it cannot run."""
        library = _library()
        if precision not in PRECISIONS:
            raise UsageError(f"The precision is {' or '.join(PRECISIONS)}; got {precision!r}.")
        self.subwords, self.longest = subwords, writer.network.configuration.longest
        self.numbers = {piece: number for number, piece in enumerate(subwords.pieces)}
        self.specification = specification_of(writer, subwords, precision)
        with tempfile.TemporaryDirectory(prefix="scansion-ctranslate2-") as folder:
            self.specification.save(folder)
            self.translator = library.Translator(
                folder, compute_type=precision, inter_threads=replicas, intra_threads=1
            )

    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """See :class:`scansion.engines.engine.Engine`."""
        Pairs(sources, sources).check_lengths(self.longest)
        pieces = np.array(self.subwords.pieces, dtype=object)[np.asarray(sources.ids[:])]
        ends = (sources.starts + sources.lengths).tolist()
        texts = [pieces[begin:end].tolist() for begin, end in zip(sources.starts.tolist(), ends, strict=True)]
        most = most_tokens(torch.from_numpy(sources.lengths), self.longest)
        found = self.translator.translate_batch(
            texts, beam_size=beam, num_hypotheses=alternatives, length_penalty=LENGTH_PENALTY, return_scores=True,
            max_batch_size=TOKENS_AT_A_TIME, batch_type="tokens", max_input_length=0,
            max_decoding_length=int(most.max()) if len(texts) else 1,
        )
        return [
            [self._hypothesis(*each) for each in zip(result.hypotheses, result.scores, strict=True)] for result in found
        ]

    def save(self, folder: str | Path) -> None:
        """The folder that CTranslate2 loads; StorageError if it is there already."""
        try:
            Path(folder).mkdir(parents=True)
        except FileExistsError as error:
            raise StorageError(f"{folder} is there already. Name a new folder.") from error
        self.specification.save(str(folder))

    def _hypothesis(self, pieces: list[str], score: float) -> Hypothesis:
        tokens = [self.numbers[piece] for piece in pieces]
        return Hypothesis(tokens, score * (len(tokens) + 1) ** LENGTH_PENALTY, score)


def _library() -> Any:
    try:
        import ctranslate2
    except ImportError as error:
        raise MissingExtraError("This needs CTranslate2: pip install 'scansion[fast]'.") from error
    return ctranslate2


def specification_of(writer: Writer, subwords: Subwords, precision: Precision) -> Any:
    """The writer as CTranslate2's own description of a model."""
    network = writer.network
    if not isinstance(network, EncoderDecoder):
        raise UsageError("CTranslate2 runs Transformers only; this family is not one.")
    configuration = network.configuration
    found = _library().specs.TransformerSpec.from_config(configuration.layers, configuration.heads, pre_norm=True)
    for side, norm in ((found.encoder, network.encoder_norm), (found.decoder, network.decoder_norm)):
        side.position_encodings.encodings = network.positions.numpy()
        _norm(side.layer_norm, norm)
    for embeddings in (found.encoder.embeddings[0], found.decoder.embeddings):
        embeddings.weight = _array(network.embedding.weight)
    found.decoder.projection.weight, found.decoder.projection.bias = _array(network.table), _array(writer.head.bias)
    for mine, theirs in zip(network.encoder, found.encoder.layer, strict=True):
        _norm(theirs.self_attention.layer_norm, mine.attention_norm)
        _self_attention(theirs.self_attention, mine.attention)
        _feed_forward(theirs.ffn, mine.feed_forward)
    for mine, theirs in zip(network.decoder, found.decoder.layer, strict=True):
        _norm(theirs.self_attention.layer_norm, mine.own_norm)
        _self_attention(theirs.self_attention, mine.own_attention)
        _norm(theirs.attention.layer_norm, mine.source_norm)
        for place, linear in zip(theirs.attention.linear, mine.source_attention.linears(), strict=True):
            _linear(place, linear)
        _feed_forward(theirs.ffn, mine.feed_forward)
    found.register_source_vocabulary(subwords.pieces)
    found.register_target_vocabulary(subwords.pieces)
    found.config.bos_token = found.config.decoder_start_token = subwords.pieces[BEGIN]
    found.config.eos_token, found.config.unk_token = subwords.pieces[END], subwords.pieces[PADDING]
    found.config.layer_norm_epsilon = network.encoder_norm.eps
    found.validate()
    found.optimize(quantization=None if precision == "float32" else precision)
    return found


def _self_attention(place: Any, attention: MultiHeadAttention) -> None:
    query, key_value, output = attention.linears()
    place.linear[0].weight = np.concatenate([_array(query.weight), _array(key_value.weight)])
    place.linear[0].bias = np.concatenate([_array(query.bias), _array(key_value.bias)])
    _linear(place.linear[1], output)


def _feed_forward(place: Any, part: FeedForward) -> None:
    _norm(place.layer_norm, part.norm)
    _linear(place.linear_0, part.inner)
    _linear(place.linear_1, part.outer)


def _linear(place: Any, linear: nn.Linear) -> None:
    place.weight, place.bias = _array(linear.weight), _array(linear.bias)


def _norm(place: Any, norm: nn.LayerNorm) -> None:
    place.gamma, place.beta = _array(norm.weight), _array(norm.bias)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy().copy()  # quantising works in place
