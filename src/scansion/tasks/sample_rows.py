"""The rows that count: texts, targets and weights that belong together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.errors import UsageError
from scansion.families.catalogue import DOCUMENT_FAMILIES, name_of, pretrainable
from scansion.learning.training import Pretraining

OWN = "own"


@dataclass(frozen=True)
class Some:
    """Some of the texts, those whose entry of ``wanted (N,)`` is True; can be read as often as the texts can."""

    texts: Iterable[str]
    wanted: np.ndarray

    def __iter__(self) -> Iterator[str]:
        number = 0
        for number, text in enumerate(self.texts, start=1):
            if number <= len(self.wanted) and self.wanted[number - 1]:
                yield text
        if number != len(self.wanted):
            raise UsageError(f"There are {number:,} texts but {len(self.wanted):,} weights; give one weight a text.")


@dataclass
class WithUnlabelled:
    """Texts and, behind them, others without answers; ``rows`` says how many the first are once they were read."""

    texts: Iterable[str]
    unlabelled: Iterable[str]
    rows: int = 0

    def __iter__(self) -> Iterator[str]:
        self.rows = 0
        for text in self.texts:
            self.rows += 1
            yield text
        yield from self.unlabelled


def counting_rows(
    texts: Iterable[str], targets: Any, sample_weight: Any
) -> tuple[Iterable[str], Any, np.ndarray | None]:
    """The rows whose weight is not 0, and their weights if any are given; UsageError for weights that fit nothing."""
    if not hasattr(targets, "__len__"):
        targets = list(targets) if hasattr(targets, "__iter__") else targets
    if sample_weight is None:
        return texts, targets, None
    try:
        weights = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"sample_weight must be numbers, one a text: {error}.") from error
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
        raise UsageError(
            f"sample_weight must be finite numbers of at least 0, one a text; got shape {weights.shape}, "
            f"least {weights.min(initial=np.inf)}."
        )
    check_lengths(len(weights), targets, "weights")
    if not weights.any():
        raise UsageError("Every sample_weight is 0; at least one row must count.")
    weights = weights / weights.max()
    counting = weights > 0
    if not counting.all():
        texts, targets = Some(texts, counting), _some_of(targets, counting)
    return texts, targets, weights[counting]


def _some_of(targets: Any, wanted: np.ndarray) -> Any:
    """Those whose entry of ``wanted (N,)`` is True; a series or an array stays one."""
    if hasattr(targets, "iloc"):
        return targets.iloc[np.flatnonzero(wanted)]
    if isinstance(targets, np.ndarray):
        return targets[wanted]
    return [target for target, kept in zip(targets, wanted, strict=True) if kept]


def pretraining_of(
    family: Any, pretrain: str | Pretraining | None, unlabelled: Iterable[str] | None
) -> Pretraining | None:
    """The recipe of a pretraining, if there is to be one.

    UsageError for one there is not, or that the family cannot do, and for texts without one.
    """
    if not (pretrain is None or pretrain == OWN or isinstance(pretrain, Pretraining)):
        raise UsageError(f"pretrain is None, {OWN!r} or a Pretraining(...); got {pretrain!r}.")
    if unlabelled is not None and pretrain is None:
        raise UsageError(f"Texts without answers are for pretraining. Give pretrain={OWN!r} (--pretrain own) too.")
    if pretrain is not None and family.pretraining is None:
        able = pretrainable(DOCUMENT_FAMILIES)
        raise UsageError(f"The family {name_of(family)} cannot be pretrained on your texts; "
                         f"{', '.join(able[:-1])} and {able[-1]} can.")
    return Pretraining() if isinstance(pretrain, str) else pretrain


def check_lengths(rows: int, targets: Any, what: str = "texts") -> None:
    """UsageError unless there is one target for each of so many rows."""
    if hasattr(targets, "__len__") and len(targets) != rows:
        raise UsageError(f"There are {rows:,} {what} but {len(targets):,} targets; give one of each a row.")
