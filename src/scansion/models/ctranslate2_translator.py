"""A Transformer that translates, inside CTranslate2.

Beam search, its length normalisation and the bounds on a translation are as in :mod:`scansion.decoding.beam`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from scansion.decoding.beam import LENGTH_PENALTY, most_tokens
from scansion.decoding.state import Hypothesis
from scansion.errors import UsageError
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoderNetwork
from scansion.layers.feed_forward import FeedForward
from scansion.learning.seq2seq import Seq2SeqModel
from scansion.models.ctranslate2 import (
    TOKENS_AT_A_TIME,
    array,
    finished,
    library,
    loading,
    put_linear,
    put_norm,
    put_self_attention,
    save_new,
)
from scansion.models.precision import Precision
from scansion.models.translation_engine import TranslationEngine
from scansion.models.translation_model import FittedTranslator
from scansion.storage.scratch import scratch_folder
from scansion.text.batches import Sequences
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import BEGIN, END, NEVER_WRITTEN, PADDING, SubwordTokenizer

RUNS = (TransformerEncoderDecoderNetwork,)
IMPOSSIBLE = -1e9
"""A logit; as a part of the weights it holds for whoever runs the exported folder, however they decode."""


class CTranslate2Translator(TranslationEngine):
    """A fitted translator, by ``replicas`` of one thread each."""

    def __init__(self, fitted: FittedTranslator, precision: Precision, replicas: int) -> None:
        """MissingExtraError without the package, UsageError for a family it cannot run."""
        self.tokenizer, self.max_length = fitted.tokenizer, fitted.max_length
        self.numbers = {subword: number for number, subword in enumerate(self.tokenizer.subwords)}
        self.specification = specification_of(fitted.model, self.tokenizer, precision)
        with loading(), scratch_folder("ctranslate2") as folder:
            self.specification.save(str(folder))
            self.translator = library().Translator(
                str(folder), compute_type=precision, inter_threads=replicas, intra_threads=1
            )

    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """See :class:`scansion.models.translation_engine.TranslationEngine`."""
        Pairs(sources, sources).check_lengths(self.max_length)
        subwords = np.array(self.tokenizer.subwords, dtype=object)[np.asarray(sources.ids[:])]
        ends = (sources.starts + sources.lengths).tolist()
        texts = [subwords[begin:end].tolist() for begin, end in zip(sources.starts.tolist(), ends, strict=True)]
        most = most_tokens(torch.from_numpy(sources.lengths), self.max_length)
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
        save_new(self.specification, folder)

    def _hypothesis(self, subwords: list[str], score: float) -> Hypothesis:
        tokens = [self.numbers[subword] for subword in subwords]
        return Hypothesis(tokens, score * (len(tokens) + 1) ** LENGTH_PENALTY, score)


def specification_of(model: Seq2SeqModel, tokenizer: SubwordTokenizer, precision: Precision) -> Any:
    """The model as CTranslate2's own description of a model."""
    network: Any = model.network
    if type(network) not in RUNS:
        raise UsageError("CTranslate2 runs Transformers only; this family is not one.")
    configuration = network.configuration
    found = library().specs.TransformerSpec.from_config(configuration.layers, configuration.heads, pre_norm=True)
    for side, mine in ((found.encoder, network.encoder_norm), (found.decoder, network.decoder_norm)):
        side.position_encodings.encodings = network.positions.numpy()
        put_norm(side.layer_norm, mine)
    for embeddings in (found.encoder.embeddings[0], found.decoder.embeddings):
        embeddings.weight = array(network.embedding.weight)
    found.decoder.projection.weight = array(network.output_embedding)
    found.decoder.projection.bias = array(model.head.bias)
    found.decoder.projection.bias[list(NEVER_WRITTEN)] = IMPOSSIBLE
    for mine, theirs in zip(network.encoder, found.encoder.layer, strict=True):
        put_norm(theirs.self_attention.layer_norm, mine.attention_norm)
        put_self_attention(theirs.self_attention, mine.attention)
        _feed_forward(theirs.ffn, mine.feed_forward)
    for mine, theirs in zip(network.decoder, found.decoder.layer, strict=True):
        put_norm(theirs.self_attention.layer_norm, mine.own_norm)
        put_self_attention(theirs.self_attention, mine.own_attention)
        put_norm(theirs.attention.layer_norm, mine.source_norm)
        for place, linear in zip(theirs.attention.linear, mine.source_attention.linears(), strict=True):
            put_linear(place, linear)
        _feed_forward(theirs.ffn, mine.feed_forward)
    found.register_source_vocabulary(tokenizer.subwords)
    found.register_target_vocabulary(tokenizer.subwords)
    found.config.bos_token = found.config.decoder_start_token = tokenizer.subwords[BEGIN]
    found.config.eos_token, found.config.unk_token = tokenizer.subwords[END], tokenizer.subwords[PADDING]
    found.config.layer_norm_epsilon = network.encoder_norm.eps
    return finished(found, precision)


def _feed_forward(place: Any, part: FeedForward) -> None:
    put_norm(place.layer_norm, part.norm)
    put_linear(place.linear_0, part.inner)
    put_linear(place.linear_1, part.outer)
