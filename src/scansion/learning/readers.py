"""Learning a reader: the loop, watched on held-out rows."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scansion.families.catalogue import ReadingFamily
from scansion.heads.catalogue import Head
from scansion.learning.gradient import Engine, Step, Training, train
from scansion.learning.reader import Examples, Reader, build_reader, cut_windows, read
from scansion.text.batches import epoch_plan
from scansion.text.vocabulary import Spelling

PATIENCE = 4  # epochs in a row that are clearly worse than the best, after which a run stops


@dataclass(frozen=True)
class ReaderJob:
    """All that a run is a function of, besides its training and held-out examples."""

    family: ReadingFamily
    head: Head
    words: int
    pieces: int
    training: Training
    seed: int


@dataclass(frozen=True)
class Epoch:
    """The end of an epoch: its mean training loss, its mean held-out error, and whether its weights are kept."""

    number: int
    of: int
    training_loss: float
    held_out_error: float
    kept: bool
    seconds: float


@dataclass(frozen=True)
class Learned:
    """The kept weights by name, and the epoch they are of."""

    weights: dict[str, np.ndarray]
    epoch: int
    epochs: int
    steps: int
    tokens: int
    ended: str
    """Why the run ended."""


def learn_reader(
    job: ReaderJob,
    spelling: Spelling,
    examples: Examples,
    held_out: Examples,
    engine: Engine,
    deadline: float = float("inf"),
) -> Iterator[Step | Epoch | Learned]:
    """Every :class:`Step`, an :class:`Epoch` after each, and at last the :class:`Learned`."""
    family, training = job.family, job.training
    reader = build_reader(family, job.words, job.pieces, job.head, training.label_smoothing, job.seed)
    reader.use(spelling)
    examples = windowed(examples, family.longest)
    lengths = examples.sequences.lengths
    tokens = int(lengths.sum())
    epochs, budget = training.epochs(tokens), training.batch(tokens)
    begun, losses, read_tokens, step, ended = time.monotonic(), [], 0, None, "all epochs done"
    watch = Watch(reader, held_out, family.longest)
    steps = train(
        reader, lambda epoch: epoch_plan(lengths, budget, job.seed, epoch), examples.batch, examples.weights, lengths,
        training, epochs=epochs, learning_rate=family.learning_rate, seed=job.seed, engine=engine, deadline=deadline,
    )
    for step in steps:
        read_tokens += step.tokens
        losses.append(step.loss)
        yield step
        if step.ends_epoch:
            error, kept = watch.look(step.epoch + 1)
            yield Epoch(step.epoch + 1, epochs, float(np.mean(losses)), error, kept, time.monotonic() - begun)
            losses = []
            if watch.epoch + PATIENCE <= step.epoch + 1:
                ended = f"{PATIENCE} epochs in a row were clearly worse than the best"
                break
    else:
        if step is None or step.epoch + 1 < epochs or not step.ends_epoch:
            ended = "the budget was spent"
        if step is None or not step.ends_epoch:
            watch.look(1 if step is None else step.epoch + 1)
    yield Learned(watch.weights, watch.epoch, epochs, 0 if step is None else step.number, read_tokens, ended)


class Watch:
    """Keeps the weights of the latest epoch whose held-out error is within one standard error of the lowest.

    A run that is not overfitting is best at its end, where the learning rate is lowest; small held-out parts are too
    noisy to say more than that (the one-standard-error rule of Breiman et al. 1984, section 3.4.3).
    """

    def __init__(self, reader: Reader, held_out: Examples, longest: int | None) -> None:
        self.reader, self.held_out, self.longest = reader, held_out, longest
        self.lowest, self.allowed, self.epoch = float("inf"), float("inf"), 0
        self.weights: dict[str, np.ndarray] = {}

    def look(self, epoch: int) -> tuple[float, bool]:
        """This epoch's held-out error, and whether its weights are kept."""
        scores = read(self.reader, self.held_out.sequences, self.longest)
        errors = self.reader.head.errors(scores, self.held_out.targets)
        mean = float(np.average(errors, weights=self.held_out.weights))
        if mean < self.lowest:
            self.lowest, self.allowed = mean, mean + float(errors.std()) / len(errors) ** 0.5
        kept = mean <= self.allowed or not self.weights
        if kept:
            self.epoch, self.weights = epoch, weights_of(self.reader)
        return mean, kept


def weights_of(reader: Reader) -> dict[str, np.ndarray]:
    """A copy of the weights."""
    return {name: tensor.detach().numpy().copy() for name, tensor in reader.state_dict().items()}


def windowed(examples: Examples, longest: int | None) -> Examples:
    """The same examples with long rows cut into windows, which share their row's answer and its weight."""
    sequences, owners = cut_windows(examples.sequences, longest)
    if len(sequences) == len(examples):
        return examples
    shares = examples.weights[owners] / np.bincount(owners)[owners]
    return Examples(sequences, examples.targets[owners], shares)
