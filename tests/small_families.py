"""Every family of the catalogue in a size that a test can train; a new one needs no line here."""

import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from encoders import TINY, write_encoder
from scansion.families.catalogue import DOCUMENT_FAMILIES, LANGUAGE_FAMILIES, TRANSLATION_FAMILIES
from scansion.families.interpolated import Interpolated
from scansion.families.pretrained import Pretrained
from scansion.families.static import Static
from scansion.testing import ENDINGS, OPENINGS

SCRATCH = tempfile.TemporaryDirectory()
WORDS = sorted({word for text in (*OPENINGS, *ENDINGS) for word in text.split()} | {"number", "0", "1", "2"})
WORDS += ["red", "blue", "round", "square", "thing"]
ENCODER = str(write_encoder(Path(SCRATCH.name) / "encoder", WORDS, TINY))

SIZES = {
    "width": 16, "hidden_size": 16, "heads": 2, "layers": 1, "feed_forward": 32, "max_length": 64, "dropout": 0.0,
    "embedding_dropout": 0.0, "word_dropout": 0.0, "learning_rate": 0.02, "encoder_lr_scale": 0.5,
}


def small(kind: type[Any], **options: object) -> Any:
    """A configuration with as many of the small sizes, and of the other options given, as it has options."""
    if kind is Pretrained:
        return replace(Pretrained(ENCODER, "fine-tuned"), dropout=0.0, learning_rate=0.02, encoder_lr_scale=0.5)
    if kind is Static:
        return Static(ENCODER)
    if kind is Interpolated:
        return Interpolated(network=small(type(Interpolated().network), **options))
    known = {field.name for field in fields(kind)}
    wanted = SIZES | options
    learned = "learning_rate" in known  # counted families have options of other kinds under some of these names
    return replace(kind(), **{name: wanted[name] for name in known & wanted.keys()}) if learned else kind()


SMALL = {name: small(kind) for name, kind in DOCUMENT_FAMILIES.items()}
LEARNED = {name: family for name, family in SMALL.items() if family.learner == "gradient"}
PRETRAINABLE = {name: family for name, family in SMALL.items() if family.pretraining is not None}
SMALL_TRANSLATORS = {name: small(kind) for name, kind in TRANSLATION_FAMILIES.items()}
SMALL_LANGUAGE = {  # all but what needs a folder of weights
    name: small(kind) for name, kind in LANGUAGE_FAMILIES.items() if name != "pretrained"
}
