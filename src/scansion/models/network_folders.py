"""Networks and frozen encoders of documents as files, and back."""

from typing import Any

from scansion.errors import UnsafeFolderError
from scansion.families.bert import Bert
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.models.document_config import (
    ENCODER_PREFIX,
    FAMILY_PREFIX,
    Arrays,
    DocumentConfig,
    ModelFiles,
    arrays_of,
    below,
    linear_of,
)
from scansion.models.network_models import (
    EncoderModel,
    FineTunedModel,
    FrozenEncoderModel,
    fine_tuned_encoder,
    trained_encoder,
)
from scansion.models.pretrained_encoder import encoder_from
from scansion.storage.folders import Folder
from scansion.storage.limits import CONFIG, TOKENIZER, VOCABULARY
from scansion.storage.word_list import words_from_bytes, words_to_bytes
from scansion.text.char_ngrams import CHAR_NGRAM_MARK
from scansion.text.numbered import Numbered
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.text.vocabulary import Vocabulary


def trained_stored(model: EncoderModel) -> ModelFiles:
    """The vocabulary is the words, and behind them the character n-grams."""
    words, ngrams = model.vocabulary.words, [CHAR_NGRAM_MARK + each for each in model.vocabulary.char_ngrams]
    return ModelFiles(_arrays(model.network), {VOCABULARY: words_to_bytes(words + ngrams)}, len(words))


def trained_restored(folder: Folder, config: DocumentConfig, tensors: Arrays) -> EncoderModel:
    """The inverse of :func:`trained_stored`."""
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    ngrams = Numbered(ngram.removeprefix(CHAR_NGRAM_MARK) for ngram in words[config.words :])
    vocabulary, fit = Vocabulary(Numbered(words[: config.words]), ngrams), config.fit
    return trained_encoder(fit.family, fit.head, tensors, vocabulary, fit.word_rule)


def frozen_stored(model: FrozenEncoderModel) -> ModelFiles:
    """The encoder, the scale of its vectors and the head."""
    encoder, vectors = model.vectors.encoder, model.vectors
    tensors = arrays_of(model.linear) | {ENCODER_PREFIX + name: each for name, each in _arrays(encoder.network).items()}
    tensors |= {f"{FAMILY_PREFIX}mean": vectors.mean, f"{FAMILY_PREFIX}deviation": vectors.deviation}
    tokens = {TOKENIZER: model.tokenizer.description}
    return ModelFiles(
        tensors, tokens, strength=model.linear.strength, encoder=encoder.network.configuration, pooling=encoder.pooling
    )


def frozen_restored(folder: Folder, config: DocumentConfig, tensors: Arrays) -> FrozenEncoderModel:
    """The inverse of :func:`frozen_stored`."""
    weights = below(tensors, ENCODER_PREFIX)
    vectors = FrozenVectors(encoder_from(_encoder(folder, config), weights, config.pooling))
    scale = below(tensors, FAMILY_PREFIX)
    vectors.mean, vectors.deviation = scale["mean"], scale["deviation"]
    return FrozenEncoderModel(vectors, linear_of(tensors, config), _tokenizer(folder))


def fine_tuned_stored(model: FineTunedModel) -> ModelFiles:
    """The network; its encoder's sizes stand in ``config.json``."""
    tokens = {TOKENIZER: model.tokenizer.description}
    return ModelFiles(_arrays(model.network), tokens, encoder=model.network.encoder.configuration)


def fine_tuned_restored(folder: Folder, config: DocumentConfig, tensors: Arrays) -> FineTunedModel:
    """The inverse of :func:`fine_tuned_stored`."""
    words = len(tensors["encoder.words.weight"])
    return fine_tuned_encoder(_encoder(folder, config), words, config.fit.head, tensors, _tokenizer(folder))


def _arrays(network: Any) -> Arrays:
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}


def _encoder(folder: Folder, config: DocumentConfig) -> Bert:
    if config.encoder is None:
        raise UnsafeFolderError(f"{folder.where(CONFIG)}: a {config.kind} encoder needs its sizes, under 'encoder'.")
    return config.encoder


def _tokenizer(folder: Folder) -> PretrainedTokenizer:
    return PretrainedTokenizer(folder.bytes(TOKENIZER), folder.where(TOKENIZER))
