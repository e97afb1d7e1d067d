"""Rows dealt to the folds of a cross-validation."""

import numpy as np

from scansion.heads.catalogue import Head
from scansion.randomness import stream


def fold_rows(head: Head, targets: np.ndarray, folds: int, seed: int) -> list[np.ndarray]:
    """Row numbers of each of ``folds`` parts, with the head's groups in proportion."""
    order = stream(seed, "folds").permutation(len(targets))
    groups = head.group(targets)
    if groups is not None:
        order = order[np.argsort(groups[order], kind="stable")]
    return [np.sort(order[part::folds]) for part in range(folds)]


def runs_of_rows(head: Head, targets: np.ndarray, folds: int, seed: int) -> list[np.ndarray]:
    """Like :func:`fold_rows`, but neighbours stay together where every row has one label.

    Rows that follow each other often have a source in common: a film, an author, a day.  Spread over all folds they
    tell each other's answers, and the choice is of a head that relies on what it knows by heart.  Numbers and sets of
    labels are spread all the same: in a table that is sorted by them a run would be all there is of its kind.
    """
    if targets.ndim > 1 or (groups := head.group(targets)) is None:
        return fold_rows(head, targets, folds, seed)
    parts: list[list[np.ndarray]] = [[] for _ in range(folds)]
    first = 0  # whose turn it is to have a row more
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        whole, rest = divmod(len(rows), folds)
        ends = np.cumsum(whole + ((np.arange(folds) - first) % folds < rest))
        first = (first + rest) % folds
        for part, run in zip(parts, np.split(rows, ends[:-1]), strict=True):
            part.append(run)
    return [np.sort(np.concatenate(parts[number])) for number in stream(seed, "folds").permutation(folds)]
