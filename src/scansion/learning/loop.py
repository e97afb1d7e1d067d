"""The one training loop, and a run of it that a validation set judges.

The loop asks a model for ``loss(batch)`` and knows nothing else about it.  Both are generators: early stopping,
checkpoints and progress are ordinary ``for``, ``if`` and ``break`` around them.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from scansion.errors import DivergedError
from scansion.layers.dropout import reseed
from scansion.learning.checkpoints import Checkpoints, NoCheckpoints, Position
from scansion.learning.events import Epoch, Event, Stage, Step
from scansion.learning.job import BEFORE_AN_EPOCH, BUDGET_SPENT, Job, TrainedWeights
from scansion.learning.optimizer import Optimizer
from scansion.learning.process_group import ProcessGroup
from scansion.learning.thread_pool import on_threads, threads_for
from scansion.learning.weight_average import BestWeights, WeightAverage

PATIENCE = 4  # epochs in a row that are clearly worse than the best, after which a run stops


def train_job(
    job: Job, group: ProcessGroup, deadline: float = float("inf"),
    checkpoints: Checkpoints | NoCheckpoints | None = None,
) -> Generator[Event, None, TrainedWeights]:
    """What it runs on, every :class:`Step`, an :class:`Epoch` after each, and the weights that were kept.

    With ``checkpoints`` the run goes on from the last of them, and keeps new ones.
    """
    checkpoints = NoCheckpoints() if checkpoints is None else checkpoints
    training, model, tokens = job.training, job.build(), int(job.lengths.sum())
    epochs, batch_tokens = training.epochs(tokens), training.batch_tokens(tokens)
    optimizer = Optimizer(model, training.weight_decay, training.max_grad_norm)
    average = WeightAverage(model, training.averaging_fraction)
    best = BestWeights(model, average, lambda: job.errors(model))
    at = checkpoints.resume(model, optimizer, average, best)
    deadline -= at.position.seconds  # a budget is for the whole run
    ended = "all epochs done"
    threads = threads_for(optimizer.flat.numel(), batch_tokens // group.size)
    yield Stage(f"{training.doing} on {tokens:,} tokens in {group.told} of {threads} thread{'s' * (threads > 1)}")
    steps = train(
        model, optimizer, partial(job.plan, batch_tokens), job.batch, job.weights, job.lengths, training.warmup,
        epochs=epochs, learning_rate=job.learning_rate, seed=job.seed, group=group, deadline=deadline,
        start=at.position, threads=threads,
    )
    for step in steps:
        here = Position(step.number, step.epoch, step.batch, step.seconds)
        at = replace(at, position=here, loss=at.loss + step.loss, tokens=at.tokens + step.tokens)
        average.add(step.number)
        yield from checkpoints.note(step)
        yield step
        if step.ends_epoch:
            error, kept = best.judge(step.epoch + 1)
            epoch = Epoch(step.epoch + 1, epochs, step.number, at.loss / step.batch, error, kept, step.seconds)
            yield from checkpoints.note(epoch)
            yield epoch
            if best.epoch + PATIENCE <= step.epoch + 1:
                ended = f"{PATIENCE} epochs in a row were clearly worse than the best"
                break
            at = replace(
                at, position=replace(here, epoch=step.epoch + 1, batch=0), loss=0.0, kept_epoch=best.epoch,
                lowest_error=best.lowest, allowed_error=best.allowed,
            )
        checkpoints.keep(at, model, optimizer, average, best.weights)
    else:
        if at.position.epoch < epochs:
            enough = at.position.epoch or at.tokens >= training.enough_tokens
            ended = BUDGET_SPENT if enough else BEFORE_AN_EPOCH
            if at.position.batch or not best.weights:
                best.judge(at.position.epoch + 1)
    trained = TrainedWeights(best.weights, best.epoch, epochs, at.position.step, at.tokens, ended)
    yield from checkpoints.end(trained.record)
    return trained


def train(
    model: Any,
    optimizer: Optimizer,
    plan: Callable[[int], Sequence[np.ndarray]],
    batch: Callable[[np.ndarray], Any],
    weights: np.ndarray,
    lengths: np.ndarray,
    warmup: float,
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    group: ProcessGroup,
    deadline: float = float("inf"),
    start: Position = Position(),  # noqa: B008
    threads: int | None = None,
) -> Iterator[Step]:
    """Train in place, one :class:`Step` at a time.

    ``model.loss(batch)`` is the summed loss of a batch, a scalar.  ``plan(epoch)`` gives an epoch's batches as row
    numbers and ``batch(rows)`` makes one; each process takes every ``size``-th row of a batch.  ``weights`` and
    ``lengths`` are the rows' own.  ``deadline`` (``time.monotonic``) bounds the run: the schedule is then drawn
    together so that it still ends at zero.  Steps are made on ``threads`` of torch's.  DivergedError at the first loss
    that is not a number, before any weight has moved.
    """
    number, begun = start.step, time.monotonic() - start.seconds
    model.train()
    for epoch in range(start.epoch, epochs):
        batches = plan(epoch)
        share = float(weights.sum()) / len(batches)  # not the batch's own: every row counts alike
        for index in range(start.batch if epoch == start.epoch else 0, len(batches)):
            rows = batches[index]
            spent = (time.monotonic() - begun) / max(1e-9, deadline - begun)
            progress = max((epoch + index / len(batches)) / epochs, spent)
            with on_threads(threads):
                reseed(model, seed, number, group.rank)
                mine = rows[group.rank :: group.size]
                optimizer.zero_grad()
                summed = 0.0
                if len(mine):
                    loss = model.loss(batch(mine)) / share
                    loss.backward()
                    summed = float(loss.detach())
                value, progress = group.share(optimizer, summed, progress)
                if not np.isfinite(value):
                    raise DivergedError(
                        f"The loss became {value} at step {number} (rows {', '.join(map(str, rows[:8]))}"
                        f"{' …' if len(rows) > 8 else ''}). Lower the learning rate, or look at those rows."
                    )
                if progress >= 1:
                    return
                rate = learning_rate * lr_schedule(progress, warmup)
                optimizer.step(rate)
            number += 1
            last, mean = index == len(batches) - 1, value * share / float(weights[rows].sum())
            yield Step(
                number, epoch, mean, int(lengths[rows].sum()), progress, index + 1, last, rate,
                time.monotonic() - begun,
            )
            model.train()


def lr_schedule(progress: float, warmup: float) -> float:
    """The learning rate as a share of its peak: up in a straight line, then down in one."""
    return min(progress / warmup, (1 - progress) / (1 - warmup)) if progress > 0 else 1e-3
