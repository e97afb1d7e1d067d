"""Pretrained language models: the weights of a folder and the tokens that came with them."""

from dataclasses import replace

from scansion.errors import UsageError
from scansion.families.pretrained_decoder import PretrainedDecoder
from scansion.layers.without_weights import WithoutWeights
from scansion.learning.description import FitDescription
from scansion.learning.language_network import build_language, with_weights
from scansion.learning.training import Training
from scansion.models.decoder_layouts import Decoder, decoder_of
from scansion.models.fitted_language import FittedLanguage
from scansion.models.neural_language import pretrained_network
from scansion.storage.huggingface_layout import read_layout
from scansion.storage.pretrained_source import find_pretrained
from scansion.text.pretrained_units import PretrainedUnits
from scansion.text.tokenizer_files import TokenizerFiles, tokenizer_of


def read_decoder(family: PretrainedDecoder) -> tuple[Decoder, PretrainedUnits]:
    """Find the weights and their tokenizer. StorageError or UnsafeFolderError for weights that are not to be had."""
    if not family.source:
        raise UsageError("A pretrained language model needs its weights: --from FOLDER, a GPT-2 or Llama.")
    layout = read_layout(find_pretrained(family.source))
    found = decoder_of(layout)
    tokenizer = tokenizer_of(TokenizerFiles(
        layout.where, str(layout.config.get("model_type")), layout.tokenizer, layout.tokenizer_settings,
        layout.config.get("tokenizer_class"), words=found.size,
    ))
    units = PretrainedUnits(tokenizer.description, found.size, found.begin, found.end)
    units.prefix  # noqa: B018  # what cannot be read is told at once
    network = replace(found.family, dropout=family.dropout, learning_rate=family.learning_rate)
    return replace(found, family=network), units


def as_it_is(source: str, task: str) -> FittedLanguage:
    """The model of a folder, without training."""
    family = PretrainedDecoder(source)
    found, units = read_decoder(family)
    with WithoutWeights():
        network = build_language(found.family, found.size, smoothing=0.0, seed=0)
    model = pretrained_network(with_weights(network, found.weights, inside="network."), found.begin, found.end)
    description = FitDescription(task, family, Training(), 0, 0).without_paths()
    return FittedLanguage(description, units, model, network=found.family)
