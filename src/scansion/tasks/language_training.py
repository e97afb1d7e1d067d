"""How a neural language family is fitted: windows of documents, some held out, and the one loop."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scansion.errors import DataError
from scansion.learning.description import FitDescription
from scansion.learning.language_job import LanguageJob
from scansion.learning.language_network import LanguageNetwork, build_language, windows_of, with_weights
from scansion.learning.training import Training
from scansion.learning.workers import machine, run_job
from scansion.models.neural_language import NeuralLanguage
from scansion.randomness import stream
from scansion.tasks.language_fit import Fitting, LanguageFit
from scansion.text.batches import Sequences
from scansion.text.text_units import TextUnits

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing

FEWEST_DOCUMENTS = 40  # of fewer, some text of each is held out and not some of them
HELD_OUT_TOKENS = 500  # at least, that are held out in one piece, where a document has enough for two


def fit_network(
    sequences: Sequences, units: TextUnits, description: FitDescription, deadline: float,
    checkpointing: "Checkpointing | None",
) -> Fitting:
    """A family that learns by gradients."""
    return (yield from train(
        sequences, units, description, deadline, checkpointing, description.family, {},
        lambda network, family: NeuralLanguage(network, family.context),
    ))


def train(
    sequences: Sequences, units: TextUnits, description: FitDescription, deadline: float,
    checkpointing: "Checkpointing | None", family: Any, start: Mapping[str, NDArray],
    finished: Callable[[LanguageNetwork, Any], NeuralLanguage],
) -> Fitting:
    """A network of ``family``, from the weights ``start`` or fresh ones; ``finished`` makes the model of it."""
    training = description.training
    learned, held_out = split(sequences, training, description.seed)
    windows, _ = windows_of(learned, family.window, family.stride)
    tested, _ = windows_of(held_out, family.window, family.window)
    if not len(windows) or not len(tested):
        raise DataError("There is too little text to learn from and to validate on. Give some hundred characters.")
    job, checkpoints = LanguageJob(description, len(units), windows, tested, family, start), None
    if checkpointing is not None:
        checkpoints = checkpointing.begin(description.to_run(machine()), description.title)
        yield from checkpointing.remarks()
    trained = yield from run_job(job, deadline, checkpoints)
    network = build_language(family, len(units), training.label_smoothing, description.seed)
    return LanguageFit(
        finished(with_weights(network, trained.weights), family),
        (f"{trained.ended}; kept the weights of epoch {trained.epoch} of {trained.epochs}; "
         f"{trained.steps:,} steps",),
        trained.workers, trained.cut_short, trained.untrained,
    )


def split(sequences: Sequences, training: Training, seed: int) -> tuple[Sequences, Sequences]:
    """What is learned from and what is held out: some of the documents or, where they are few, stretches of each.

    Stretches lie all over a document, each in the middle of a part: what is told of in the last part alone, as the
    persons of a play, is learned too, and so is where documents end.
    """
    share, rows = training.validation_fraction, len(sequences)
    if rows >= FEWEST_DOCUMENTS:
        count = min(training.max_validation_rows, max(1, round(share * rows)))
        order = stream(seed, "validation").permutation(rows)
        return sequences.only(np.sort(order[count:])), sequences.only(np.sort(order[:count]))
    counts = np.maximum(1, (share * sequences.lengths / HELD_OUT_TOKENS).astype(np.int64))
    of = np.repeat(np.arange(rows), counts)  # the document of each part
    number = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    begins, ends = ((number + more) * sequences.lengths[of] // counts[of] for more in (0, 1))
    held = np.minimum(np.maximum(2, (share * (ends - begins)).astype(np.int64)), ends - begins)
    held_out = replace(sequences, starts=sequences.starts[of] + (begins + ends - held) // 2, lengths=held)
    starts = np.sort(np.concatenate([sequences.starts, held_out.starts + held]))
    lengths = np.sort(np.concatenate([held_out.starts, sequences.starts + sequences.lengths])) - starts
    return replace(sequences, starts=starts[lengths > 0], lengths=lengths[lengths > 0]), held_out
