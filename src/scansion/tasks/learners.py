"""How each kind of family is fitted: by what it reads, and by which of the two ways of learning."""

from collections.abc import Callable, Generator, Iterable
from typing import Any

from scansion.learning.checkpointing import Checkpointing
from scansion.learning.description import FitDescription
from scansion.learning.events import Event
from scansion.models.pretrained_encoder import chosen_mode, read_pretrained
from scansion.tasks.convex_fit import FitResult, TrainingData, fit_counted, fit_frozen
from scansion.tasks.gradient_fit import fit_fine_tuned, fit_network
from scansion.text.word_tokenizer import read_words

Fitting = Generator[Event, None, FitResult]


def _words(family: Any, texts: Iterable[str]) -> Any:
    return read_words(texts)


READ: dict[str, Callable[[Any, Iterable[str]], Any]] = {"words": _words, "subwords": read_pretrained}
"""Texts as a family reads them: words, or the subwords that came with pretrained weights."""


def fit_pretrained(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: Checkpointing | None
) -> Fitting:
    """Pretrained weights, frozen or fine-tuned."""
    mode, reason = chosen_mode(description.family, data.documents, deadline)
    if mode == "frozen":
        return fit_frozen(data, description, deadline, reason)
    if data.documents.remarks:
        reason += "; its head sees the mean and the maximum of the tokens' vectors, whatever pooling is declared"
    return fit_fine_tuned(data, description, deadline, checkpointing, reason)


LEARNERS: dict[tuple[str, str], Callable[[TrainingData, FitDescription, float, Checkpointing | None], Fitting]] = {
    ("words", "convex"): fit_counted,
    ("words", "gradient"): fit_network,
    ("subwords", "convex"): fit_pretrained,
    ("subwords", "gradient"): fit_pretrained,
}
