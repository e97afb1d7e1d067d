"""Learning a reader: the loop, with the best epoch on held-out rows kept."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from scansion.families.catalogue import ReadingFamily
from scansion.heads.catalogue import Head
from scansion.learning.gradient import Engine, Step, Training, train
from scansion.learning.reader import Examples, Reader, build_reader, cut_windows, read
from scansion.text.batches import epoch_plan
from scansion.text.vocabulary import Spelling

PATIENCE = 5  # epochs without a better held-out loss after which a run stops


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
    """The end of an epoch: its mean training loss, the held-out loss, and whether that is the lowest so far."""

    number: int
    of: int
    training_loss: float
    held_out_loss: float
    best: bool
    seconds: float


@dataclass(frozen=True)
class Learned:
    """The weights of the best epoch, by name."""

    weights: dict[str, np.ndarray]
    best: Epoch
    steps: int
    tokens: int
    ended: str
    """Why the run ended: all epochs done, no better for some, or the budget spent."""


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
    begun, best, kept, losses, step = time.monotonic(), None, None, [], None
    ended, read_tokens = "all epochs done", 0
    steps = train(
        reader, lambda epoch: epoch_plan(lengths, budget, job.seed, epoch), examples.batch, examples.weights, lengths,
        training, epochs=epochs, learning_rate=family.learning_rate, seed=job.seed, engine=engine, deadline=deadline,
    )
    for step in steps:
        read_tokens += step.tokens
        losses.append(step.loss)
        yield step
        if not step.ends_epoch:
            continue
        loss = held_out_loss(reader, held_out, family.longest)
        better = best is None or loss <= best.held_out_loss
        epoch = Epoch(step.epoch + 1, epochs, float(np.mean(losses)), loss, better, time.monotonic() - begun)
        losses = []
        if better:
            best, kept = epoch, weights_of(reader)
        yield epoch
        if epoch.number - best.number >= PATIENCE:
            ended = f"no better for {PATIENCE} epochs"
            break
    else:
        if step is None or not step.ends_epoch:
            ended = "the budget was spent"
            loss = held_out_loss(reader, held_out, family.longest)
            if best is None or loss <= best.held_out_loss:
                done = 0 if step is None else step.epoch + 1
                mean = float(np.mean(losses)) if losses else float("inf")
                best = Epoch(done, epochs, mean, loss, True, time.monotonic() - begun)
                kept = weights_of(reader)
    yield Learned(kept, best, 0 if step is None else step.number, read_tokens, ended)


def held_out_loss(reader: Reader, held_out: Examples, longest: int | None) -> float:
    """The mean loss of a held-out row, smoothed as in training."""
    scores = torch.from_numpy(read(reader, held_out.sequences, longest))
    losses = reader.head.loss(scores, torch.from_numpy(held_out.targets), reader.smoothing).numpy()
    return float(np.average(losses, weights=held_out.weights))


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
