"""How each kind of language family is fitted."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scansion.learning.description import FitDescription
from scansion.learning.events import Event, Stage
from scansion.models.fitted_language import NextTokenModel
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN
from scansion.text.text_units import TextUnits
from scansion.viewer.number_format import counted

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing


@dataclass(frozen=True)
class LanguageFit:
    """What came of a fit."""

    model: NextTokenModel
    notes: tuple[str, ...]
    workers: int = 0
    """Processes beside the caller's own."""
    cut_short: bool = False
    """Whether the budget was spent before all was learned."""
    untrained: str = ""
    """How far it came if the budget was spent before its first epoch was done; else empty."""


Fitting = Generator[Event, None, LanguageFit]


def fit_counted(
    sequences: Sequences, units: TextUnits, description: FitDescription, deadline: float,
    checkpointing: "Checkpointing | None",
) -> Fitting:
    """A counted family; nothing of it is kept on the way."""
    yield Stage(f"counting n-grams in {counted(len(sequences.ids), 'token')}")
    model, notes = description.family.learn(sequences.ids, units.unseen(), BEGIN)
    return LanguageFit(model, notes)


LEARNERS: "dict[str, Callable[[Sequences, TextUnits, FitDescription, float, Checkpointing | None], Fitting]]" = {
    "counted": fit_counted,
}
"""By what a family declares as its ``learner``."""
