"""The convex learner of sets of labels: label by label, over rows that all of them share.

Every label is a linear machine of the squared hinge (:mod:`scansion.learning.squared_hinge`), solved a few at a time:
beside the weights that are kept nothing is of size features x labels.  All have one strength C, chosen on a sample of
labels by an inner cross-validation as in :mod:`scansion.learning.solver`.

What answers is the mean of the machines of the folds, each learned without the rows that its fold holds out (Krogh and
Vedelsby 1995).  Logits are made of its scores by those that the machines give the rows held out
(:mod:`scansion.learning.platt`): a slope and an intercept a label, which end up in its weights and its bias.  Of one
machine learned from all rows those scores tell less: it has seen half as many rows more, and says yes more often.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from scansion.heads.catalogue import Head
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.events import Stage
from scansion.learning.folds import fold_rows
from scansion.learning.linear import FixedVectors, Linear
from scansion.learning.platt import platt_lines
from scansion.learning.squared_hinge import COARSE, PRECISE, side_by_side, solve_labels
from scansion.learning.strengths import Choice, FittedLinear, Fitting, further, smallest_good
from scansion.memory import pool_of

STRENGTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
FIRST_STRENGTHS = (0.2, 0.5)
FOLDS, ROWS_OF_FOLD = 3, 4_000  # of so many rows at most: enough for the few numbers that are learned from them
THREADS = 2
FOLDS_TO_CHOOSE, LABELS_TO_CHOOSE = 2, 12  # of the folds, and of the labels: from the most to the least frequent

Labels = np.ndarray | slice


@dataclass(frozen=True)
class LabelRows:
    """Rows (N, D), which labels they have (N, K), their weights (N,), and how a family learns its prior widths."""

    vectors: SparseBlocks
    targets: np.ndarray
    weights: np.ndarray
    widths_of: Callable[[SparseBlocks, np.ndarray], np.ndarray | None]

    def machines(self, labels: Labels, strength: float, precision: float, start: Linear | None = None) -> Linear:
        """Of some labels."""
        targets = self.targets[:, labels]
        return solve_labels(
            self.vectors, targets, strength, row_weights=self.weights, widths=self.widths_of(self.vectors, targets),
            precision=precision, start=start,
        )

    def fold(self, held_out: np.ndarray, among: np.ndarray) -> "LabelFold":
        """Rows (M,) held out, and of those ``among`` which it learns the others."""
        kept = np.setdiff1d(among, held_out)
        others = LabelRows(self.vectors.only(kept), self.targets[kept], self.weights[kept], self.widths_of)
        return LabelFold(held_out, self.vectors.rows(held_out), others)


@dataclass(frozen=True)
class LabelFold:
    """Rows (M,) that are held out with their vectors (M, D), and the others."""

    rows: np.ndarray
    held_out: csr_matrix
    others: LabelRows


def fit_label_by_label(
    family: FixedVectors, head: Head, vectors: SparseBlocks, targets: np.ndarray, weights: np.ndarray, seed: int,
    deadline: float,
) -> Fitting:
    """Learn a linear head, a problem a label, and choose their strength."""

    def widths_of(rows: SparseBlocks, answers: np.ndarray) -> np.ndarray | None:
        return family.widths(rows, answers, answers.shape[1])

    rows = LabelRows(vectors, targets, weights, widths_of)
    parts = fold_parts(rows, head, seed)
    choice = Choice(FIRST_STRENGTHS[-1], {}, np.zeros(0, np.int64), np.zeros((0, head.size)), "nothing to choose from")
    if parts:
        with threadpool_limits(limits=1), pool_of(THREADS) as pool:
            choice = choose_label_strength(rows, parts, deadline, pool)
    yield Stage(f"solving {head.size:,} labels with strength {choice.strength:g}")
    with threadpool_limits(limits=1), pool_of(THREADS) as pool:
        linear, held_out, logits = solve_all_labels(rows, parts, choice.strength, pool)
    return FittedLinear(linear, replace(choice, rows=held_out, logits=logits))


def fold_parts(rows: LabelRows, head: Head, seed: int) -> list[np.ndarray]:
    """The rows that each fold holds out; none where there are too few, or no features."""
    count = max(FOLDS, -(-len(rows.targets) // ROWS_OF_FOLD))
    if len(rows.targets) < count or rows.vectors.shape[1] == 0:
        return []
    return fold_rows(head, rows.targets, count, seed)[:FOLDS]


def choose_label_strength(
    rows: LabelRows, parts: list[np.ndarray], deadline: float, pool: Executor
) -> Choice:
    """The smallest of ``STRENGTHS`` that one standard error cannot tell from the one of the least held-out loss.

    The loss is the logistic one of a sample of labels, at each label's best line; it says nothing of rows that no part
    holds out, since C is the variance of a prior and does not depend on how many rows there are.
    """
    order = np.argsort(-rows.targets.sum(axis=0), kind="stable")
    labels = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), LABELS_TO_CHOOSE)).astype(int))]
    among, parts = np.concatenate(parts), parts[:FOLDS_TO_CHOOSE]
    folds, held = [rows.fold(part, among) for part in parts], np.concatenate(parts)
    blocks = [labels[part] for part in side_by_side(len(labels), folds[0].others.vectors.shape)]
    jobs = [(fold, block) for fold in folds for block in blocks]
    targets, weights = rows.targets[np.ix_(held, labels)], rows.weights[held]
    found: dict[float, list[Linear]] = {}
    losses: dict[float, np.ndarray] = {}
    reason, cut_short = "within one standard error of the least held-out loss", False
    wanted: tuple[float, ...] = FIRST_STRENGTHS
    starts: Sequence[Linear | None] = [None] * len(jobs)
    while wanted:
        for strength in wanted:
            found[strength] = list(pool.map(
                lambda job, start, mine=strength: job[0].others.machines(job[1], mine, COARSE, start), jobs, starts
            ))
            scores = [mine.logits(fold.held_out) for (fold, _), mine in zip(jobs, found[strength], strict=True)]
            by_fold = [scores[first : first + len(blocks)] for first in range(0, len(scores), len(blocks))]
            logits = on_platt_lines(np.block(by_fold), targets, weights)
            losses[strength] = weights * (np.logaddexp(0, logits) - targets * logits).mean(axis=1)
        chosen = smallest_good(losses)
        wanted, starts = further(STRENGTHS, sorted(losses), chosen), found[chosen]
        if wanted and time.monotonic() > deadline:
            reason, cut_short = f"{reason}, of those the budget allowed", True
            break
    means = {strength: float(mine.mean()) for strength, mine in losses.items()}
    return Choice(chosen, means, held, np.zeros((len(held), 0)), reason, cut_short=cut_short)


def on_platt_lines(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Scores (N, K) as the logits that fit them best."""
    slopes, intercepts = platt_lines(scores, targets, weights)
    return slopes * scores + intercepts


def solve_all_labels(
    rows: LabelRows, parts: list[np.ndarray], strength: float, pool: Executor
) -> tuple[Linear, np.ndarray, np.ndarray]:
    """What answers with a logit for each label; the rows (M,) that parts hold out, and their logits (M, K) float32."""
    count, (outputs, columns) = len(rows.targets), (rows.targets.shape[1], rows.vectors.shape[1])
    folds = [rows.fold(part, np.arange(count)) for part in parts]
    linear = Linear(np.zeros((columns, outputs), np.float32), np.zeros(outputs, np.float32), strength)
    held = np.concatenate(parts) if parts else np.arange(count)
    scores = np.zeros((len(held), outputs), np.float32)

    def solve(labels: slice) -> None:
        # where rows are too few for folds, those that were learned from must do
        solved = [
            (fold.others.machines(labels, strength, COARSE), fold.held_out) for fold in folds
        ] or [(rows.machines(labels, strength, PRECISE), rows.vectors.rows(held))]
        for machines, _ in solved:
            linear.weights[:, labels] += machines.weights / len(solved)
            linear.bias[labels] += machines.bias / len(solved)
        scores[:, labels] = np.concatenate([machines.logits(held_out) for machines, held_out in solved])

    list(pool.map(solve, side_by_side(outputs, rows.vectors.shape)))
    lines = platt_lines(scores, rows.targets[held], rows.weights[held])
    slopes, intercepts = (each.astype(np.float32) for each in lines)
    for each in (linear.weights, linear.bias, scores):
        each *= slopes
    for each in (linear.bias, scores):
        each += intercepts
    return (linear, held, scores) if parts else (linear, held[:0], scores[:0])
