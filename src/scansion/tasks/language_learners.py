"""How each kind of language family is fitted."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from scansion.deferred import deferred
from scansion.learning.description import FitDescription
from scansion.learning.events import Stage
from scansion.tasks.language_fit import Begun, Fitting, LanguageFit
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN
from scansion.text.text_units import FEW_CHARACTERS, TextUnits, learn_units, units_for
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
    "interpolated": deferred("scansion.tasks.language_interpolation", "fit_interpolated"),
}
"""By what a family declares as its ``learner``."""


pretrained_begun = deferred("scansion.tasks.pretrained_language", "begun")


def begun(
    family: Any, texts: Iterable[str], size: int, tokens: str | None, vocab_size: int | None
) -> Begun:
    """Tokens of one's own from texts of so many characters, or those of pretrained weights."""
    if family.learner in BRING_TOKENS:
        found: Begun = BRING_TOKENS[family.learner](family, tokens, vocab_size)
        return found
    name, why = tokens, "as given"
    if name is None:
        name = units_for(size)
        why = f"{size:,} characters of text; up to {FEW_CHARACTERS:,} they are characters, else subwords"
    return Begun(learn_units(texts, name, vocab_size), why, LEARNERS[family.learner])


BRING_TOKENS: "dict[str, Callable[[Any, str | None, int | None], Begun]]" = {"pretrained": pretrained_begun}
"""By learner, those whose tokens are not learned."""
