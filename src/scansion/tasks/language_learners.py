"""How each kind of language family is fitted."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from scansion.deferred import deferred
from scansion.learning.description import FitDescription
from scansion.learning.events import Stage
from scansion.tasks.language_fit import Fitting, LanguageFit
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN
from scansion.text.text_units import TextUnits
from scansion.viewer.number_format import counted

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing


def fit_counted(
    sequences: Sequences, units: TextUnits, description: FitDescription, deadline: float,
    checkpointing: "Checkpointing | None",
) -> Fitting:
    """A counted family; nothing of it is kept on the way."""
    yield Stage(f"counting n-grams in {counted(len(sequences.ids), 'token')}")
    model, notes = description.family.learn(sequences.ids, units.unseen(), BEGIN)
    return LanguageFit(model, notes)


LEARNERS: "dict[str, Callable[[Sequences, TextUnits, FitDescription, float, Checkpointing | None], Fitting]]" = {
    "counted": fit_counted, "gradient": deferred("scansion.tasks.language_training", "fit_network"),
}
"""By what a family declares as its ``learner``."""
