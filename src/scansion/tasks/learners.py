"""How each kind of family is fitted: by what it reads, and by which of the two ways of learning."""

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

from scansion.deferred import deferred
from scansion.learning.description import FitDescription
from scansion.learning.events import Event
from scansion.tasks.training_data import FitResult, TrainingData
from scansion.text.word_tokenizer import read_words

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing

Fitting = Generator[Event, None, FitResult]


def _words(family: Any, texts: Iterable[str]) -> Any:
    return read_words(texts)


READ: dict[str, Callable[[Any, Iterable[str]], Any]] = {
    "words": _words, "word pieces": _words,
    "subwords": deferred("scansion.models.pretrained_encoder", "read_pretrained"),
}
"""Texts as a family reads them: words, words to be cut into pieces, or the subwords of pretrained weights."""

fit_counted = deferred("scansion.tasks.convex_fit", "fit_counted")
fit_static = deferred("scansion.tasks.convex_fit", "fit_static")
fit_network = deferred("scansion.tasks.gradient_fit", "fit_network")
fit_pretrained = deferred("scansion.tasks.pretrained_fit", "fit_pretrained")

LEARNERS: "dict[tuple[str, str], Callable[[TrainingData, FitDescription, float, Checkpointing | None], Fitting]]" = {
    ("words", "convex"): fit_counted,
    ("words", "gradient"): fit_network,
    ("word pieces", "convex"): fit_static,
    ("subwords", "convex"): fit_pretrained,
    ("subwords", "gradient"): fit_pretrained,
}
