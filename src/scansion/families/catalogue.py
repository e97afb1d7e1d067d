"""Every family by name. A new one is a file in this folder and a line here."""

from dataclasses import fields

from scansion.errors import UsageError, did_you_mean
from scansion.families.bag_of_words import BagOfWords
from scansion.families.baseline import Baseline
from scansion.families.lstm import LSTM
from scansion.families.ngrams import NGrams
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder, RNNEncoderDecoder
from scansion.families.rnn import RNN
from scansion.families.sequence_to_sequence import SequenceToSequence
from scansion.families.transformer import Transformer
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder

CountedFamily = Baseline | BagOfWords | NGrams
ReadingFamily = RNN | LSTM | Transformer
Family = CountedFamily | ReadingFamily

FAMILIES: dict[str, type[Family]] = {
    "baseline": Baseline,
    "bag-of-words": BagOfWords,
    "n-grams": NGrams,
    "rnn": RNN,
    "lstm": LSTM,
    "transformer": Transformer,
}

WritingFamily = RNNEncoderDecoder | LSTMEncoderDecoder | SequenceToSequence | TransformerEncoderDecoder

WRITERS: dict[str, type[WritingFamily]] = {
    "rnn": RNNEncoderDecoder,
    "lstm-without-attention": SequenceToSequence,
    "lstm": LSTMEncoderDecoder,
    "transformer": TransformerEncoderDecoder,
}
"""Those that read one text and write another."""


def family_from(given: str | Family) -> Family:
    """A family's configuration from its name, or as it was given. UsageError for anything else."""
    if isinstance(given, str):
        if given not in FAMILIES:
            raise UsageError(f"There is no family {given!r}{did_you_mean(given, FAMILIES)}")
        return FAMILIES[given]()
    if type(given) not in FAMILIES.values():
        raise UsageError(f"A family is a name or a configuration such as LSTM(width=256); got {given!r}.")
    return given


def writer_from(given: str | WritingFamily) -> WritingFamily:
    """A writing family's configuration from its name, or as it was given. UsageError for anything else."""
    if isinstance(given, str):
        if given not in WRITERS:
            raise UsageError(f"There is no family {given!r} that translates{did_you_mean(given, WRITERS)}")
        return WRITERS[given]()
    if type(given) not in WRITERS.values():
        raise UsageError(f"A family that translates is a name or such as LSTMEncoderDecoder(); got {given!r}.")
    return given


def name_of_writer(family: WritingFamily) -> str:
    """The name under which a configuration stands in ``WRITERS``."""
    return next(name for name, kind in WRITERS.items() if kind is type(family))


def name_of(family: Family) -> str:
    """The name under which a configuration stands in ``FAMILIES``."""
    return next(name for name, kind in FAMILIES.items() if kind is type(family))


def options_of(name: str) -> dict[str, object]:
    """A family's options and their defaults."""
    return {field.name: field.default for field in fields(FAMILIES[name])}
