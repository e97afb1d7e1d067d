"""The shipped film review sentences (Pang and Lee 2005), and what a family makes of some of them."""

import time
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.learning.training import Pretraining, Training
from scansion.randomness import stream
from scansion.tasks.classifier import DocumentClassifier
from scansion.text.documents import read_documents

TRAINING = Training(max_epochs=4, target_steps=150)
"""Shorter than by default: the experiments here compare, and do not aim at the best score."""


@dataclass(frozen=True)
class Reviews:
    """Texts and their labels."""

    texts: list[str]
    labels: list[str]

    def some(self, rows: int, seed: int) -> "Reviews":
        """So many, drawn at random."""
        drawn = stream(seed, "reviews").permutation(len(self.texts))[:rows].tolist()
        return Reviews([self.texts[i] for i in drawn], [self.labels[i] for i in drawn])

    def __len__(self) -> int:
        return len(self.texts)


@cache
def reviews() -> tuple[Reviews, Reviews]:
    """For training and for the test, as they are shipped, each in an order drawn once."""
    path = Path(str(files("scansion"))) / "demo" / "mr.tsv.gz"
    found = read_documents(str(path), split="split_textgcn")
    parts = {name: Reviews([], []) for name in ("train", "test")}
    for text, label, part in zip(found.texts, found.targets or [], found.splits or [], strict=True):
        parts[part].texts.append(text)
        parts[part].labels.append(str(label))
    return parts["train"].some(len(parts["train"]), 0), parts["test"].some(len(parts["test"]), 0)


@dataclass(frozen=True)
class Judged:
    """A fitted model, which test reviews it answers right, and what it took."""

    model: DocumentClassifier
    right: NDArray
    fit_seconds: float
    """Of the processor."""
    milliseconds: float
    """To answer a review, of the processor."""

    @property
    def encoder(self) -> Any:
        """The family's network, without the head."""
        return self.model.fitted_.model.network.encoder

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return float(self.right.mean())


def judged(family: Any, seed: int, rows: int, tested: int = 1_500, unlabelled: int = 0) -> Judged:
    """A family that has learned from so many reviews, and first from so many others without their labels."""
    train, test = reviews()
    texts, held = train.some(rows + unlabelled, seed), test.some(tested, 0)
    first = Pretraining(max_epochs=4, target_steps=300) if unlabelled else None
    model = DocumentClassifier(family, training=TRAINING, pretrain=first, processes=1, random_state=seed)
    begun = time.process_time()
    model.fit(texts.texts[:rows], texts.labels[:rows], unlabelled=texts.texts[rows:] if unlabelled else None)
    fitted = time.process_time()
    right = model.predict(held.texts) == np.array(held.labels)
    return Judged(model, right, fitted - begun, 1_000 * (time.process_time() - fitted) / tested)
