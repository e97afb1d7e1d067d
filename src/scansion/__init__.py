"""scansion: every family of text model, side by side, on your own documents."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "DocumentClassifier": "scansion.tasks.documents",
    "DocumentRegressor": "scansion.tasks.documents",
    "Translator": "scansion.tasks.translation",
    "load": "scansion.tasks.loading",
    "export": "scansion.tasks.exporting",
    "look": "scansion.tasks.looking",
    "compare": "scansion.comparison.compare",
    "FAMILIES": "scansion.families.catalogue",
    "BagOfWords": "scansion.families.bag_of_words",
    "NGrams": "scansion.families.ngrams",
    "RNN": "scansion.families.rnn",
    "LSTM": "scansion.families.lstm",
    "Transformer": "scansion.families.transformer",
    "Pretrained": "scansion.families.pretrained",
    "WRITERS": "scansion.families.catalogue",
    "RNNEncoderDecoder": "scansion.families.recurrent_encoder_decoder",
    "SequenceToSequence": "scansion.families.sequence_to_sequence",
    "LSTMEncoderDecoder": "scansion.families.recurrent_encoder_decoder",
    "TransformerEncoderDecoder": "scansion.families.transformer_encoder_decoder",
    "Training": "scansion.learning.gradient",
    "Bert": "scansion.families.bert",
    "pretrain": "scansion.tasks.encoder",
    "Pretraining": "scansion.learning.pretraining",
    "FineTuning": "scansion.learning.recipes",
    "WriterTraining": "scansion.learning.writer",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first asked for, so that ``scansion --help`` never waits for torch."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'scansion' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
