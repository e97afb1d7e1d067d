"""Every family by name, one dictionary a task. A new one is a file in this folder and a line here."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from scansion.errors import UsageError, did_you_mean
from scansion.families.bag_of_words import BagOfWords
from scansion.families.baseline import Baseline
from scansion.families.bert import Bert
from scansion.families.gru import GRU
from scansion.families.gru_encoder_decoder import GRUEncoderDecoder
from scansion.families.lstm import LSTM
from scansion.families.ngrams import NGrams
from scansion.families.pretrained import Pretrained
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder, RNNEncoderDecoder
from scansion.families.rnn import RNN
from scansion.families.sequence_to_sequence import SequenceToSequence
from scansion.families.transformer import Transformer
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder

DOCUMENT_FAMILIES: dict[str, type[Any]] = {
    "baseline": Baseline,
    "bag-of-words": BagOfWords,
    "n-grams": NGrams,
    "rnn": RNN,
    "gru": GRU,
    "lstm": LSTM,
    "transformer": Transformer,
    "pretrained": Pretrained,
}

TRANSLATION_FAMILIES: dict[str, type[Any]] = {
    "rnn": RNNEncoderDecoder,
    "lstm-without-attention": SequenceToSequence,
    "gru": GRUEncoderDecoder,
    "lstm": LSTMEncoderDecoder,
    "transformer": TransformerEncoderDecoder,
}
"""Those that read one text and write another."""

ENCODERS: dict[str, type] = {"bert": Bert}
"""Those that are trained on texts without answers, and used by the family pretrained."""

STORED: dict[str, type] = (
    DOCUMENT_FAMILIES | {f"{name} translation": kind for name, kind in TRANSLATION_FAMILIES.items()} | ENCODERS
)
"""By the names under which folders hold a configuration."""


def configured(given: Any, families: Mapping[str, type]) -> Any:
    """A family's configuration from its name among ``families``, or as it was given. UsageError for anything else."""
    if isinstance(given, str):
        if given not in families:
            raise UsageError(f"There is no family {given!r}{did_you_mean(given, families)}")
        return families[given]()
    if type(given) not in families.values():
        example = list(families.values())[-1].__name__
        raise UsageError(f"A family is a name or a configuration such as {example}(); got {given!r}.")
    return given


def name_of(family: Any) -> str:
    """The name under which a configuration stands in its task's dictionary."""
    named = [*DOCUMENT_FAMILIES.items(), *TRANSLATION_FAMILIES.items(), *ENCODERS.items()]
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


def public_families() -> dict[str, type]:
    """Every configuration by the name of its class, as ``scansion`` exports it; the baseline needs none."""
    kinds = [*DOCUMENT_FAMILIES.values(), *TRANSLATION_FAMILIES.values(), *ENCODERS.values()]
    return {kind.__name__: kind for kind in kinds if kind is not Baseline}


def options_of(family: type) -> dict[str, object]:
    """A family's options and their defaults."""
    return {field.name: field.default for field in fields(family)}


def pretrainable(families: Mapping[str, type[Any]]) -> list[str]:
    """The names of those that can first learn from texts without answers."""
    return [name for name, kind in families.items() if kind.pretraining is not None]
