"""``python -m scansion.comparison.estimate FOLDER``: what one run of each family needs at least, from a small sample.

A family is fitted to some of the training rows, for one epoch in batches as large as it would take of all rows, and
answers some of the test rows; what that takes is brought to the number of characters that all of them have, or to as
many as are enough for a score.  A line of JSON tells that the process has started, and then one more each family.  What
cannot be fitted is passed over: its run will say why.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from scansion.comparison.fit_and_score import arguments, compared_of, estimator_of, hashable, load_torch
from scansion.errors import ScansionError
from scansion.learning.events import Step
from scansion.learning.training import recipe_of
from scansion.tasks.task import ComparedData

SAMPLE = "sample.json"
CHARACTERS, HELD_CHARACTERS = 100_000, 10_000  # of the rows that are fitted, and of those that are answered
FEWEST_ROWS = 24
FEWER = 4  # every so many rows of the sample are fitted for what does not grow with them
CHARACTERS_A_TOKEN = 5
MOST_SECONDS = 1.0  # of steps; a network that needs longer for the sample is estimated by those
PRETRAINED_TOO = 3.0  # times as long: all texts are read once without answers, and half of the time is for that
ANSWERS_A_STEP = 0.5  # what answering takes of training on as much, where it was not measured


def write_sample(folder: Path, data: ComparedData, wanted: Sequence[dict[str, Any]]) -> None:
    """What the process reads: some rows of the first fold, and how many characters all of its rows have."""
    train, test = data.folds[0]
    sizes = [sum(len(data.inputs[i]) for i in rows) for rows in (train, test)]
    rows, held = _evenly(train, sizes[0], CHARACTERS), _evenly(test, sizes[1], HELD_CHARACTERS)
    (folder / SAMPLE).write_text(json.dumps({
        "wanted": list(wanted), "train_characters": sizes[0], "test_characters": sizes[1],
        "texts": [data.inputs[i] for i in rows], "targets": [data.targets[i] for i in rows],
        "held": [data.inputs[i] for i in held],
    }))


def _evenly(rows: NDArray, characters: int, wanted: int) -> NDArray:
    """Some of the rows, from their beginning to their end, that have about as many characters as are wanted."""
    count = int(np.clip(len(rows) * wanted / max(1, characters), FEWEST_ROWS, len(rows)))
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]


def work(folder: Path) -> None:
    """Print what each family that ``folder`` asks for needs."""
    print(json.dumps({"started": True}), flush=True)
    sample = json.loads((folder / SAMPLE).read_text())
    for wanted in sample["wanted"]:
        try:
            first, answer = _needed(wanted, sample)
        except (ScansionError, MemoryError):
            continue
        print(json.dumps({"label": wanted["label"], "first": first, "answer": answer}), flush=True)


def _needed(wanted: dict[str, Any], sample: dict[str, Any]) -> tuple[float, float]:
    """Seconds until there is something to score, and seconds of answering the test rows."""
    estimator = estimator_of({
        **wanted, "budget": None, "processes": 1,
        "arguments": {name: value for name, value in wanted["arguments"].items() if name != "pretrain"},
    })
    estimator.set_params(family=getattr(estimator.family, "soonest", estimator.family))
    recipe = estimator.get_params(deep=False).get("training") or recipe_of(estimator.family)
    size = recipe.batch_tokens(sample["train_characters"] // CHARACTERS_A_TOKEN)
    estimator.set_params(training=replace(
        recipe, min_epochs=1, max_epochs=1, min_batch_tokens=size, max_batch_tokens=size
    ))
    texts, targets = sample["texts"], [hashable(target) for target in sample["targets"]]
    times_as_much = sample["train_characters"] / max(1, sum(map(len, texts)))
    seconds, steps, trained = _timed_fit(estimator, texts, targets)
    if len(steps) > 1:  # the first one is slower
        first_step, *_, last = steps
        all_of_it = times_as_much / (last.progress - first_step.progress)
        tokens = max(1.0, sum(step.tokens for step in steps[1:]) * all_of_it)
        reading = (last.seconds - first_step.seconds) * all_of_it * min(1.0, recipe.enough_tokens / tokens)
        first = seconds - last.seconds + first_step.seconds + reading
    else:  # what does not grow with the rows is told apart by a fit of fewer
        few, *_ = _timed_fit(clone(estimator), texts[::FEWER], targets[::FEWER])
        first = seconds + max(0.0, seconds - few) / (1 - 1 / FEWER) * (times_as_much - 1)
    first *= PRETRAINED_TOO if wanted["arguments"].get("pretrain") else 1.0
    if not trained:
        return first, ANSWERS_A_STEP * first * sample["test_characters"] / max(1, sample["train_characters"])
    begun = time.monotonic()
    compared_of(wanted).answer(estimator, sample["held"], sample["targets"])
    seconds = time.monotonic() - begun
    return first, seconds * max(1.0, sample["test_characters"] / max(1, sum(map(len, sample["held"]))))


def _timed_fit(estimator: Any, texts: list[str], targets: list[Any]) -> tuple[float, list[Step], bool]:
    """Seconds of a fit, its steps, and whether it came to its end."""
    begun = time.monotonic()
    fitting = estimator.fitting(texts, targets)
    steps: list[Step] = []
    trained = True
    for event in fitting:
        if event.name == "step":
            steps.append(event)
            trained = event.ends_epoch
            if len(steps) > 2 and event.seconds > MOST_SECONDS and not trained:
                fitting.close()
                break
    return time.monotonic() - begun, steps, trained


if __name__ == "__main__":
    load_torch()
    work(*arguments())
