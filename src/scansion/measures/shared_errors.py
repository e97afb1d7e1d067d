"""Whether families are wrong on the same rows: where they are not, they know different things."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SharedErrors:
    """What every two families' errors have in common, from 0 to 1 (``jaccard``) or -1 to 1 (``correlation``).

    Of labels: rows that both have wrong / rows that either has wrong, null where neither has any; a set of labels is
    wrong if it is not exactly right.  Of numbers: Pearson's correlation of answer less truth, null where one is
    constant; there is no right and wrong then, and the counts are empty.
    """

    measure: str = ""
    families: tuple[str, ...] = ()
    values: tuple[tuple[float | None, ...], ...] = ()
    """(families, families)."""
    wrong: tuple[int, ...] = ()
    """Rows that each has wrong."""
    both: tuple[tuple[int, ...], ...] = ()
    """Rows that every two have wrong, (families, families)."""
    all_wrong: int = 0
    all_right: int = 0


def shared_errors_of(kind: str, truth: NDArray, answers: Mapping[str, NDArray]) -> SharedErrors:
    """Of the families' answers as the measures take them, (N,) or (N, labels) each."""
    if not answers:
        return SharedErrors()
    if kind == "regression":
        return SharedErrors("correlation", tuple(answers), _correlations(np.stack(list(answers.values())) - truth))
    wrong = np.stack([is_wrong(truth, mine) for mine in answers.values()])
    both = wrong.astype(np.int64) @ wrong.T.astype(np.int64)
    either = both.diagonal()[:, None] + both.diagonal() - both
    values = tuple(
        tuple(b / e if e else None for b, e in zip(*rows, strict=True))
        for rows in zip(both.tolist(), either.tolist(), strict=True)
    )
    return SharedErrors(
        "jaccard", tuple(answers), values, tuple(both.diagonal().tolist()), tuple(map(tuple, both.tolist())),
        int(wrong.all(axis=0).sum()), int((~wrong).all(axis=0).sum()),
    )


def is_wrong(truth: NDArray, answers: NDArray) -> NDArray:
    """(N,) of labels or sets of labels."""
    return truth != answers if truth.ndim == 1 else (truth != answers).any(axis=1)


def _correlations(errors: NDArray) -> tuple[tuple[float | None, ...], ...]:
    centred = errors - errors.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1))
    known = length > 1e-12 * np.abs(errors).max(axis=1)
    units = centred / np.where(known, length, 1)[:, None]
    values = np.clip(units @ units.T, -1, 1)
    return tuple(
        tuple(float(values[i, j]) if known[i] and known[j] else None for j in range(len(values)))
        for i in range(len(values))
    )
