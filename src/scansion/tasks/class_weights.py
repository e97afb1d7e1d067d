"""What rows count by their labels: ``balanced``, or a mapping of labels to weights as in scikit-learn.

A row counts what its label does, and one of several labels their mean; a label that is not named counts 1.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scansion.errors import UsageError, did_you_mean, shown
from scansion.heads.catalogue import Head

BALANCED = "balanced"
ClassWeight = str | Mapping[Any, float] | None


def check_class_weight(given: Any) -> None:
    """UsageError for what is neither ``balanced`` nor a mapping of labels to weights."""
    if given is None or given == BALANCED:
        return
    if not isinstance(given, Mapping):
        raise UsageError(
            f"class_weight is None, '{BALANCED}' or a mapping of labels to weights such as {{'spam': 5}}; "
            f"got {given!r}."
        )
    for label, weight in given.items():
        number = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
        if not number or not 0 <= weight < math.inf:
            raise UsageError(f"The class_weight of {shown(str(label))} is a number from 0 on; got {weight!r}.")


def parsed_class_weight(written: str | None) -> ClassWeight:
    """``balanced``, or ``spam=5,ham=0.5`` as a mapping; UsageError for anything else."""
    if written is None or written == BALANCED:
        return written
    weights: dict[str, float] = {}
    for part in written.split(","):
        label, equals, weight = part.rpartition("=")
        try:
            number = float(weight)
        except ValueError:
            number = math.nan
        if not equals or not label or math.isnan(number):
            hint = did_you_mean(part, [BALANCED]) if part == written else "."
            raise UsageError(
                f"--class-weight is {BALANCED}, or labels with their weights such as spam=5,ham=0.5; "
                f"got {shown(part)}{hint}"
            )
        if label in weights:
            raise UsageError(f"--class-weight names {shown(label)} twice. Give each label one weight.")
        weights[label] = number
    check_class_weight(weights)
    return weights


def label_weights(given: Mapping[Any, float], head: Head) -> np.ndarray:
    """What each of the head's labels counts, (K,).

    UsageError where a name is no label and a label has no name; a mapping may be of more labels than there are.
    """
    names = {str(label): float(weight) for label, weight in given.items()}
    labels = [str(label) for label in head.labels]
    strays = [name for name in names if name not in labels]
    if strays and not set(labels) <= names.keys():
        hint = did_you_mean(strays[0], labels)
        raise UsageError(f"class_weight names {shown(strays[0])}, and no row has that label{hint}")
    return np.array([names.get(label, 1.0) for label in labels])


def class_row_weights(given: ClassWeight, head: Head, targets: np.ndarray) -> np.ndarray:
    """What each row counts, (N,), by targets as the head encodes them; UsageError where none counts anything."""
    if given is None:
        return np.ones(len(targets))
    weights = label_weights(given, head) if isinstance(given, Mapping) else head.balanced(targets)
    rows = head.weigh(targets, weights)
    if not rows.any():
        raise UsageError("By class_weight no row counts anything. Give the label of some row a weight above 0.")
    return rows


def stored_class_weight(given: ClassWeight) -> str | dict[str, float] | None:
    """As JSON holds it: labels as text."""
    return {str(label): float(weight) for label, weight in given.items()} if isinstance(given, Mapping) else given
