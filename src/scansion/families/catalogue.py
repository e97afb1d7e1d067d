"""Every family by name. A new one is a file in this folder and a line here."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from scansion.errors import UsageError, did_you_mean
from scansion.families.bag_of_words import BagOfWords
from scansion.families.baseline import Baseline
from scansion.families.bert import Bert
from scansion.families.lstm import LSTM
from scansion.families.ngrams import NGrams
from scansion.families.pretrained import Pretrained
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder, RNNEncoderDecoder
from scansion.families.rnn import RNN
from scansion.families.sequence_to_sequence import SequenceToSequence
from scansion.families.transformer import Transformer
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder

CountedFamily = Baseline | BagOfWords | NGrams
ReadingFamily = RNN | LSTM | Transformer | Bert
Family = CountedFamily | RNN | LSTM | Transformer | Pretrained

FAMILIES: dict[str, type[Family]] = {
    "baseline": Baseline,
    "bag-of-words": BagOfWords,
    "n-grams": NGrams,
    "rnn": RNN,
    "lstm": LSTM,
    "transformer": Transformer,
    "pretrained": Pretrained,
}

READERS: dict[str, type[ReadingFamily]] = {"rnn": RNN, "lstm": LSTM, "transformer": Transformer, "bert": Bert}
"""Those whose vectors are learned; what is pretrained is read by the last.

``pooling`` makes one vector of those of a document's positions.  ``words_beside`` says when the head sees the words
beside what the network makes of them: ``always`` (to say a number: once they are pretrained), once they are
``pretrained`` on all texts, or ``never``.
"""

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
    return _configured(given, FAMILIES, "")


def writer_from(given: str | WritingFamily) -> WritingFamily:
    """The same for a family that writes."""
    return _configured(given, WRITERS, " that translates")


def name_of(family: Family | ReadingFamily | WritingFamily) -> str:
    """The name under which a configuration stands in ``FAMILIES``, ``READERS`` or ``WRITERS``."""
    named = [*FAMILIES.items(), *READERS.items(), *WRITERS.items()]
    return next(name for name, kind in named if kind is type(family))


def labelled(families: Iterable[Any]) -> dict[str, Any]:
    """Configurations under their names; the second of a kind is ``lstm-2``, and so on."""
    found: dict[str, Any] = {}
    for family in families:
        label, number = name_of(family), 2
        while label in found:
            label, number = f"{name_of(family)}-{number}", number + 1
        found[label] = family
    return found


def _configured(given: Any, known: Mapping[str, type], which: str) -> Any:
    if isinstance(given, str):
        if given not in known:
            raise UsageError(f"There is no family {given!r}{which}{did_you_mean(given, known)}")
        return known[given]()
    if type(given) not in known.values():
        example = known["lstm"].__name__
        raise UsageError(f"A family{which} is a name or a configuration such as {example}(width=256); got {given!r}.")
    return given


def options_of(name: str, known: Mapping[str, type] = FAMILIES) -> dict[str, object]:
    """A family's options and their defaults."""
    return {field.name: field.default for field in fields(known[name])}
