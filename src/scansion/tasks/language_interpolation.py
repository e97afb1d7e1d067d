"""How n-grams and a network are fitted as one model: the network first, then the weight on text that neither has read.

The network keeps some text back to choose its epoch, and the weight is fitted on the same.  Afterwards the n-grams are
counted again on all text: it costs seconds, and a twentieth more of it helps them.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from scansion.families.interpolated import weight_of_first
from scansion.learning.description import FitDescription
from scansion.learning.events import Stage
from scansion.learning.language_network import score_windows, windows_of
from scansion.models.interpolation import Interpolation
from scansion.models.neural_language import NeuralLanguage
from scansion.tasks.language_fit import Fitting
from scansion.tasks.language_training import fit_network, split
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN
from scansion.text.text_units import TextUnits
from scansion.viewer.number_format import counted

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing


def fit_interpolated(
    sequences: Sequences, units: TextUnits, description: FitDescription, deadline: float,
    checkpointing: "Checkpointing | None",
) -> Fitting:
    """The family interpolated."""
    family, unseen = description.family, units.unseen()
    network = replace(description, family=family.network)
    trained = yield from fit_network(sequences, units, network, deadline, checkpointing)
    learned, held_out = split(sequences, description.training, description.seed)
    yield Stage(f"counting n-grams in {counted(len(sequences.ids), 'token')}")
    read = places_of(learned)
    counts, _ = family.counted.learn(np.asarray(sequences.ids[:])[read], unseen, BEGIN)
    yield Stage("weighing the network and the n-grams")
    told = places_of(replace(held_out, starts=held_out.starts + 1, lengths=held_out.lengths - 1))
    context = family.network.context
    stride = 1 if context is None else context // 2
    first = score_windows(cast(NeuralLanguage, trained.model).network, *windows_of(held_out, context, stride))
    weight = weight_of_first(first[told], counts.log_probabilities(sequences.ids)[told])
    counts, notes = family.counted.learn(sequences.ids, unseen, BEGIN)
    note = (
        f"{description.title}: {weight:.3f} of the network and {1 - weight:.3f} of the n-grams, fitted on "
        f"{counted(int(told.sum()), 'token')} that neither had read"
    )
    return replace(trained, model=Interpolation(counts, trained.model, weight), notes=(*trained.notes, note, *notes))


def places_of(sequences: Sequences) -> np.ndarray:
    """True (N,) where a token of the stream stands in one of the rows, which do not overlap."""
    edges = np.zeros(len(sequences.ids) + 1, np.int8)
    edges[sequences.starts] += 1
    edges[sequences.starts + sequences.lengths] -= 1
    return np.cumsum(edges[:-1], dtype=np.int8).astype(bool)
