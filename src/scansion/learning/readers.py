"""Learning a reader: the loop, watched on held-out rows."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from scansion.families.catalogue import ReadingFamily
from scansion.heads.catalogue import Head
from scansion.learning.checkpoints import Checkpoints, Standing
from scansion.learning.gradient import Engine, Position, Step, Training, train
from scansion.learning.optimiser import Optimiser
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
    checkpoints: Checkpoints | None = None,
) -> Iterator[Step | Epoch | Learned]:
    """Every :class:`Step`, an :class:`Epoch` after each, and at last the :class:`Learned`.

    With ``checkpoints`` the run goes on from the last of them, and keeps new ones.
    """
    family, training = job.family, job.training
    reader = build_reader(family, job.words, job.pieces, job.head, training.label_smoothing, job.seed)
    reader.use(spelling)
    examples = windowed(examples, family.longest)
    lengths = examples.sequences.lengths
    tokens = int(lengths.sum())
    epochs, budget = training.epochs(tokens), training.batch(tokens)
    optimiser = Optimiser(reader, training.weight_decay, training.largest_gradient)
    watch = Watch(reader, held_out, family.longest)
    at = Standing()
    if checkpoints is not None:
        at, kept = checkpoints.resume(reader, optimiser)
        watch.resume(at, kept)
    begun, ended = time.monotonic() - at.position.seconds, "all epochs done"
    steps = train(
        reader, optimiser, lambda epoch: epoch_plan(lengths, budget, job.seed, epoch), examples.batch,
        examples.weights, lengths, training, epochs=epochs, learning_rate=family.learning_rate, seed=job.seed,
        engine=engine, deadline=deadline, start=at.position,
    )
    for step in steps:
        seconds = time.monotonic() - begun
        here = Position(step.number, step.epoch, step.batch, seconds)
        at = replace(at, position=here, loss=at.loss + step.loss, tokens=at.tokens + step.tokens)
        yield step
        if step.ends_epoch:
            error, kept = watch.look(step.epoch + 1)
            yield Epoch(step.epoch + 1, epochs, at.loss / step.batch, error, kept, seconds)
            if watch.epoch + PATIENCE <= step.epoch + 1:
                ended = f"{PATIENCE} epochs in a row were clearly worse than the best"
                break
            at = replace(
                at, position=replace(here, epoch=step.epoch + 1, batch=0), loss=0.0, kept_epoch=watch.epoch,
                lowest_error=watch.lowest, allowed_error=watch.allowed,
            )
        if checkpoints is not None:
            checkpoints.keep(at, reader, optimiser, watch.weights)
    else:
        if at.position.epoch < epochs:
            ended = "the budget was spent"
            if at.position.batch or not watch.weights:
                watch.look(at.position.epoch + 1)
    yield Learned(watch.weights, watch.epoch, epochs, at.position.step, at.tokens, ended)


class Watch:
    """Keeps the weights of the latest epoch whose held-out error is within one standard error of the lowest.

    A run that is not overfitting is best at its end, where the learning rate is lowest; small held-out parts are too
    noisy to say more than that (the one-standard-error rule of Breiman et al. 1984, section 3.4.3).
    """

    def __init__(self, reader: Reader, held_out: Examples, longest: int | None) -> None:
        self.reader, self.held_out, self.longest = reader, held_out, longest
        self.lowest, self.allowed, self.epoch = float("inf"), float("inf"), 0
        self.weights: dict[str, np.ndarray] = {}

    def resume(self, at: Standing, weights: dict[str, np.ndarray]) -> None:
        """Go on where a run stood."""
        if weights:
            self.lowest, self.allowed = at.lowest_error, at.allowed_error
            self.epoch, self.weights = at.kept_epoch, weights

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
