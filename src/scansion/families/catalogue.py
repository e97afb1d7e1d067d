"""Every family by name, one dictionary a task. A new one is a file in this folder and a line here.

A family is imported when it is first asked for: one that counts words needs no torch.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from scansion.deferred import DeferredTable
from scansion.errors import UsageError, did_you_mean
from scansion.families.language_networks import NETWORKS

DOCUMENT_FAMILIES = DeferredTable({
    "baseline": ("scansion.families.baseline", "Baseline"),
    "bag-of-words": ("scansion.families.bag_of_words", "BagOfWords"),
    "n-grams": ("scansion.families.ngrams", "NGrams"),
    "static": ("scansion.families.static", "Static"),
    "rnn": ("scansion.families.rnn", "RNN"),
    "gru": ("scansion.families.gru", "GRU"),
    "lstm": ("scansion.families.lstm", "LSTM"),
    "transformer": ("scansion.families.transformer", "Transformer"),
    "pretrained": ("scansion.families.pretrained", "Pretrained"),
})

TRANSLATION_FAMILIES = DeferredTable({
    "rnn": ("scansion.families.recurrent_encoder_decoder", "RNNEncoderDecoder"),
    "lstm-without-attention": ("scansion.families.sequence_to_sequence", "SequenceToSequence"),
    "gru": ("scansion.families.gru_encoder_decoder", "GRUEncoderDecoder"),
    "lstm": ("scansion.families.recurrent_encoder_decoder", "LSTMEncoderDecoder"),
    "transformer": ("scansion.families.transformer_encoder_decoder", "TransformerEncoderDecoder"),
})
"""Those that read one text and write another."""

LANGUAGE_FAMILIES = DeferredTable({
    "unigram": ("scansion.families.unigram", "Unigram"),
    "n-grams": ("scansion.families.kneser_ney", "KneserNey"),
} | NETWORKS.places | {
    "interpolated": ("scansion.families.interpolated", "Interpolated"),
    "pretrained": ("scansion.families.pretrained_decoder", "PretrainedDecoder"),
})
"""Those that foretell the next token; the first is the baseline."""

ENCODERS = DeferredTable({"bert": ("scansion.families.bert", "Bert")})
"""Those that are trained on texts without answers, and used by the family pretrained."""

DECODERS = DeferredTable({
    "gpt2": ("scansion.families.gpt2", "GPT2"),
    "llama": ("scansion.families.llama", "Llama"),
})
"""What the family pretrained finds in folders."""

FOR = {
    "documents": DOCUMENT_FAMILIES, "translation": TRANSLATION_FAMILIES, "language models": LANGUAGE_FAMILIES,
    "pretraining an encoder": ENCODERS,
}

STORED = DeferredTable(
    DOCUMENT_FAMILIES.places | {f"{name} translation": each for name, each in TRANSLATION_FAMILIES.places.items()}
    | {f"{name} language": each for name, each in LANGUAGE_FAMILIES.places.items()} | ENCODERS.places
    | DECODERS.places
)
"""By the names under which folders hold a configuration."""

BASELINE = "baseline"


def configured(given: Any, families: DeferredTable) -> Any:
    """A family's configuration from its name among ``families``, or as it was given. UsageError for anything else."""
    if isinstance(given, str):
        if given not in families:
            tasks = " and ".join(task for task, some in FOR.items() if given in some)
            elsewhere = f" {given!r} is a family for {tasks}." if tasks else ""
            raise UsageError(f"There is no family {given!r}{did_you_mean(given, families)}{elsewhere}")
        return families[given]()
    if families.name_of(type(given)) is None:
        *_, (_, example) = families.places.values()
        raise UsageError(f"A family is a name or a configuration such as {example}(); got {given!r}.")
    return given


def name_of(family: Any) -> str:
    """The name under which a configuration stands in its task's dictionary."""
    found = (table.name_of(type(family)) for table in FOR.values())
    return next(name for name in found if name is not None)


def labelled(families: Iterable[Any]) -> dict[str, Any]:
    """Configurations under their names; the second of a kind is ``lstm-2``, and so on."""
    found: dict[str, Any] = {}
    for family in families:
        label, number = name_of(family), 2
        while label in found:
            label, number = f"{name_of(family)}-{number}", number + 1
        found[label] = family
    return found


def public_families() -> DeferredTable:
    """Every configuration by the name of its class, as ``scansion`` exports it; the baseline needs none."""
    return DeferredTable({place[1]: place for name, place in STORED.places.items() if name != BASELINE})


def options_of(family: type) -> dict[str, object]:
    """A family's options and their defaults."""
    return {field.name: field.default for field in fields(family)}


def pretrainable(families: DeferredTable) -> list[str]:
    """The names of those that can first learn from texts without answers."""
    return [name for name, kind in families.items() if kind.pretraining is not None]
