"""A model as a server has it: loaded once, asked for answers, vectors, explanations, pages and text.

What is done with many texts at a time is an :class:`scansion.serving.batching.Operation`; a model that was loaded anew
has operations of its own, so that texts are answered by the model they were admitted for.
"""

import os
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from scansion.families.catalogue import name_of
from scansion.serving.batching import Operation
from scansion.serving.refusals import unprocessable
from scansion.storage.folders import open_folder
from scansion.storage.limits import MANIFEST
from scansion.tasks.catalogue import stored_task
from scansion.tasks.task import AnswerForm, FittedTask, GenerateOptions, LookOptions, PredictOptions, Task

NUMBERS = count(1)
EXPLAINED, LOOKED_AT, WRITTEN = 30.0, 100.0, 20.0
"""About what a token costs beside one that is only read."""

Identity = tuple[tuple[int, int, int], ...]


def identity_of(path: Path) -> Identity | None:
    """Which folder stands there; None while there is none."""
    try:
        found = [os.stat(each) for each in (path, path / MANIFEST)]
    except OSError:
        return None
    return tuple((each.st_dev, each.st_ino, each.st_mtime_ns) for each in found)


@dataclass(frozen=True)
class ModelAnswer:
    """What a model says of one text: plain values, as JSON holds them."""

    prediction: Any
    probabilities: list[float] | None
    counts: tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model under its name."""

    name: str
    path: Path
    identity: Identity | None
    created: str
    kind: Task
    task: FittedTask
    estimator: Any
    family: str
    number: int = field(default_factory=lambda: next(NUMBERS))

    @cached_property
    def form(self) -> AnswerForm:
        """What its answers are like."""
        return self.task.form(self.estimator)

    @cached_property
    def writes(self) -> bool:
        """Whether it writes on after a prompt."""
        return self.task.generate is not None

    @cached_property
    def translates(self) -> bool:
        """Whether its answers are texts."""
        return self.form.kind is str and not self.form.labels

    @cached_property
    def width(self) -> int | None:
        """How many numbers the vector of a text has; None where it has none, or one of counts."""
        if not self.task.transform:
            return None
        found = self.estimator.transform([""])
        return int(found.shape[1]) if isinstance(found, np.ndarray) else None

    @property
    def does(self) -> list[str]:
        """What can be asked of it."""
        able = {"predict": True, "explain": self.task.explain is not None, "look": not self.writes,
                "embed": self.width is not None, "generate": self.writes, "translate": self.translates}
        return [name for name, yes in able.items() if yes]

    def answers(self, options: PredictOptions) -> Operation:
        """An :class:`ModelAnswer` a text. RefusalError for options that its task does not take."""
        self._check("predict", {
            "--proba": options.probabilities, "--read": options.counts, "--beam": options.beam,
        })
        if options.probabilities and not self.form.labels:
            raise unprocessable(f"{self.name} answers with numbers, which have no probabilities.")

        def work(texts: list[str]) -> list[ModelAnswer]:
            return [each for found in self.task.predict(self.estimator, [texts], options) for each in _each(found)]

        return Operation(self._key("answers", options), work, WRITTEN if self.translates else 1.0)

    def vectors(self) -> Operation:
        """A vector a text, (width,) float32. RefusalError where there is none."""
        if self.width is None:
            raise unprocessable(f"{self.name} makes no dense vectors of its texts. Ask a model of a network or of "
                                "pretrained weights.")
        return Operation(self._key("vectors"), lambda texts: list(self.estimator.transform(texts)))

    def coverage(self) -> Operation:
        """Tokens that are known and tokens there are, (2,), of each text."""
        return Operation(self._key("coverage"), lambda texts: self.estimator.coverage(texts).tolist())

    def explanation(self, answer: str | None) -> Operation:
        """What each token adds to an answer. RefusalError where nothing can be said of it."""
        explain = self.task.explain
        if explain is None:
            raise unprocessable(f"{self.name} is of the task {self.kind.name!r}, whose answers are not explained.")
        self._check("look", {"--answer": answer})
        return Operation(
            self._key("explain", answer), lambda texts: [explain(self.estimator, text, answer) for text in texts],
            EXPLAINED,
        )

    def page(self, options: LookOptions) -> Operation:
        """A page a text, as HTML. RefusalError for options that its task does not take."""
        self._check("look", {"--answer": options.answer, "--translation": options.translation,
                             "--window": None if options.window == 1 else options.window})
        return Operation(
            self._key("look", options),
            lambda texts: [self.task.look([self.estimator], text, options).page.html() for text in texts], LOOKED_AT,
        )

    def written(self, prompts: Sequence[str], options: GenerateOptions) -> Iterator[Any]:
        """Tokens after each prompt, as they come. RefusalError where nothing is written."""
        if self.task.generate is None:
            raise unprocessable(f"{self.name} is of the task {self.kind.name!r} and does not write on.")
        return self.task.generate(self.estimator, prompts, options)

    def _check(self, verb: str, given: dict[str, Any]) -> None:
        self.kind.check_options(verb, given)

    def _key(self, *parts: Hashable) -> Hashable:
        return (self.number, *parts)


def _each(found: Any) -> Iterator[ModelAnswer]:
    for at, answer in enumerate(found.answers):
        yield ModelAnswer(
            list(answer) if isinstance(answer, tuple) else answer,
            None if found.probabilities is None else list(found.probabilities[at]),
            None if found.counts is None else (int(found.counts[at][0]), int(found.counts[at][1])),
        )


def loaded(name: str, path: Path) -> ServedModel:
    """The model in a folder, every byte of it verified. StorageError or UnsafeFolderError for what is none."""
    identity = identity_of(path)
    folder = open_folder(path)
    kind, task = stored_task(folder)
    estimator = task.served(task.load(folder))
    manifest = folder.manifest
    model = ServedModel(
        name, path, identity, manifest.created, kind, task, estimator, name_of(estimator.check_fitted().family)
    )
    for _ in task.predict(estimator, [["warm"]], PredictOptions()):  # the first answer takes what imports take
        pass
    model.does  # noqa: B018 what it takes to know that is not to be waited for later
    return model
