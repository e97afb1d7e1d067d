"""From words and answers to a model, by whichever of the two ways of learning the family takes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from scansion.families.catalogue import CountedFamily, Family, ReadingFamily
from scansion.heads.catalogue import Head
from scansion.learning.checkpoints import Checkpoints
from scansion.learning.convex import Linear, fold_rows
from scansion.learning.counted import Counted, CountedVectors, Stage, learn_counted
from scansion.learning.gradient import Step, Training
from scansion.learning.parallel import learn_with, processes_for
from scansion.learning.reader import Examples, Reader, build_reader, read
from scansion.learning.readers import ReaderJob
from scansion.learning.run import BUDGET_SPENT, Epoch, Learned
from scansion.text.batches import Sequences
from scansion.text.vocabulary import Vocabulary
from scansion.text.words import Corpus

FEWEST_ROWS_TO_SPARE = 20


class Model(Protocol):
    """What an estimator has learned."""

    parameters: int

    def scores(self, corpus: Corpus) -> np.ndarray:
        """(N, K)."""
        ...

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document the model knows, (N,)."""
        ...


@dataclass(frozen=True)
class CountedModel:
    """A counted family and its linear head."""

    family: CountedVectors
    linear: Linear

    @property
    def parameters(self) -> int:
        """Weights of the head."""
        return self.linear.weights.size + self.linear.bias.size

    def scores(self, corpus: Corpus) -> np.ndarray:
        """(N, K)."""
        return self.linear.scores(self.family.vectors(corpus))

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document that have a dimension, (N,)."""
        return self.family.known(corpus)


@dataclass(frozen=True)
class ReadModel:
    """A trained reader and its vocabulary."""

    reader: Reader
    vocabulary: Vocabulary
    longest: int | None

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return sum(parameter.numel() for parameter in self.reader.parameters())

    def scores(self, corpus: Corpus) -> np.ndarray:
        """(N, K)."""
        reader = self.reader.reading(self.vocabulary.spell(corpus.types))
        return read(reader, self.vocabulary.encode(corpus), self.longest).astype(np.float64)

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document that have a vector, (N,)."""
        return self.vocabulary.known(corpus)


@dataclass(frozen=True)
class Fitted:
    """A model, the rows it kept back with its scores for them, and what is worth saying."""

    model: CountedModel | ReadModel
    held_out: np.ndarray
    held_out_scores: np.ndarray
    notes: tuple[str, ...]
    cut_short: bool
    workers: int = 0


def learn(
    family: Family,
    head: Head,
    corpus: Corpus,
    targets: np.ndarray,
    weights: np.ndarray,
    seed: int,
    training: Training,
    processes: int | None,
    deadline: float,
    checkpoints: Checkpoints | None = None,
) -> Iterator[Stage | Step | Epoch | Fitted]:
    """What happens, and at last the :class:`Fitted`; ``checkpoints`` are of use to what learns step by step."""
    if family.learner == "convex":
        yield from _learn_counted(family, head, corpus, targets, weights, seed, deadline)
    else:
        yield from _learn_reader(
            family, head, corpus, targets, weights, seed, training, processes, deadline, checkpoints
        )


def _learn_counted(
    family: CountedFamily, head: Head, corpus: Corpus, targets: np.ndarray, weights: np.ndarray, seed: int,
    deadline: float,
) -> Iterator[Stage | Fitted]:
    for event in learn_counted(family, head, corpus, targets, weights, seed, deadline):
        if isinstance(event, Counted):
            choice = event.choice
            notes = (f"strength of the linear head: {choice.strength:g} ({choice.reason})",) if choice.held_out else ()
            model = CountedModel(event.family, event.linear)
            yield Fitted(model, choice.rows, choice.scores, notes, choice.cut_short)
        else:
            yield event


def _learn_reader(
    family: ReadingFamily, head: Head, corpus: Corpus, targets: np.ndarray, weights: np.ndarray, seed: int,
    training: Training, processes: int | None, deadline: float, checkpoints: Checkpoints | None,
) -> Iterator[Stage | Step | Epoch | Fitted]:
    vocabulary = Vocabulary.learn(corpus)
    sequences = vocabulary.encode(corpus)
    held, note = _held_out(head, targets, training, seed)
    kept = np.setdiff1d(np.arange(len(targets)), held) if len(held) else np.arange(len(targets))
    held_out = _examples(sequences, targets, weights, held if len(held) else kept)
    examples = _examples(sequences, targets, weights, kept)
    tokens = int(examples.sequences.lengths.sum())
    processes = processes_for(training, tokens) if processes is None else processes
    spelling = vocabulary.spell(corpus.types)
    job = ReaderJob(
        family, head, len(vocabulary), len(vocabulary.pieces), training, seed, spelling, examples, held_out
    )
    yield Stage(f"training on {tokens:,} tokens with {processes} process{'es' if processes > 1 else ''}")
    learned = None
    for event in learn_with(processes, job, deadline, checkpoints):
        if isinstance(event, Learned):
            learned = event
        else:
            yield event
    model = restore_reader(family, head, learned.weights, vocabulary)
    kept = (
        f"kept the weights of epoch {learned.epoch} of {learned.epochs}, the latest within one standard error of the "
        f"least held-out error; {learned.steps:,} steps"
    )
    notes = (note, f"{learned.ended}; {kept}")
    scores = np.zeros((0, head.size))
    if len(held):
        scores = read(model.reader.reading(spelling), held_out.sequences, model.longest)
    short = learned.ended == BUDGET_SPENT
    yield Fitted(model, held, scores, notes, short, processes if processes > 1 else 0)


def restore_reader(
    family: ReadingFamily, head: Head, weights: dict[str, np.ndarray], vocabulary: Vocabulary
) -> ReadModel:
    """A reader with the given weights, ready to read."""
    reader = build_reader(family, len(vocabulary), len(vocabulary.pieces), head, smoothing=0.0, seed=0)
    reader.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return ReadModel(reader.eval(), vocabulary, family.longest)


def _held_out(head: Head, targets: np.ndarray, training: Training, seed: int) -> tuple[np.ndarray, str]:
    """The rows kept back to choose the epoch; none where there are too few to spare."""
    if len(targets) < FEWEST_ROWS_TO_SPARE:
        return np.zeros(0, np.int64), "too few rows to keep any back; the epoch was chosen on the training rows"
    share = min(training.held_out, training.most_held_out / len(targets))
    held = fold_rows(head, targets, round(1 / share), seed)[0]
    return held, f"{len(held):,} of {len(targets):,} rows kept back to choose the epoch"


def _examples(sequences: Sequences, targets: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> Examples:
    part = replace(sequences, starts=sequences.starts[rows], lengths=sequences.lengths[rows])
    return Examples(part, targets[rows], weights[rows])
