"""Small networks on examples that are made up as they are needed, trained by the one loop."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scansion.heads.multiclass import MulticlassHead
from scansion.learning.document_network import DocumentBatch, DocumentNetwork, build_document_network
from scansion.learning.events import Step
from scansion.learning.language_network import LanguageNetwork
from scansion.learning.loop import train
from scansion.learning.optimizer import Optimizer
from scansion.learning.process_group import SingleProcess
from scansion.text.stretches import WindowBatch

WARMUP, MAX_GRAD_NORM = 0.1, 1.0
Examples = tuple[NDArray, NDArray]
"""Tokens (B, L) and labels (B,)."""


def training(
    model: Any, batch: Callable[[int], Any], targets: int, steps: int, learning_rate: float, seed: int
) -> Iterator[Step]:
    """Train in place on ``batch(0)``, ``batch(1)`` and so on, each with so many targets, without weight decay."""
    return train(
        model, Optimizer(model, 0.0, MAX_GRAD_NORM), lambda epoch: [np.array([step]) for step in range(steps)],
        lambda rows: batch(int(rows[0])), np.full(steps, float(targets)), np.full(steps, targets), WARMUP,
        epochs=1, learning_rate=learning_rate, seed=seed, group=SingleProcess(),
    )


def classifier(family: Any, words: int, labels: int, seed: int) -> DocumentNetwork:
    """A family under a head of so many labels: what ``fit`` trains, without the shortcut from words to the head."""
    return build_document_network(family, words, 0, MulticlassHead(tuple(range(labels))), 0.0, seed, word_sum=False)


def classifier_training(
    network: DocumentNetwork, examples: Callable[[int], Examples], steps: int, learning_rate: float, seed: int
) -> Iterator[Step]:
    """Train in place on ``examples(0)``, ``examples(1)`` and so on."""
    rows = len(examples(0)[1])

    def batch(step: int) -> DocumentBatch:
        tokens, labels = (torch.from_numpy(each) for each in examples(step))
        return DocumentBatch(tokens, torch.ones_like(tokens, dtype=torch.bool), labels, torch.ones(len(labels)))

    return training(network, batch, rows, steps, learning_rate, seed)


@torch.inference_mode()
def is_right(network: DocumentNetwork, examples: Examples) -> NDArray:
    """Which of the examples it answers right, (B,) bool."""
    network.eval()
    tokens, labels = examples
    logits = network(torch.from_numpy(tokens), torch.ones(tokens.shape, dtype=torch.bool))
    return network.head.decide(logits.numpy()) == labels


def language_training(
    model: LanguageNetwork, examples: Callable[[int], Examples], steps: int, learning_rate: float, seed: int
) -> Iterator[Step]:
    """Train in place on tokens (B, L), of which only those that are marked, (B, L) bool, are foretold."""
    marked = int(examples(0)[1].sum())
    return training(model, lambda step: foretelling(examples(step)), marked, steps, learning_rate, seed)


@torch.inference_mode()
def foretold(model: LanguageNetwork, examples: Examples) -> NDArray:
    """Which of the marked tokens are the likeliest ones there, (tokens,) bool."""
    model.eval()
    tokens, marked = examples
    vectors = model.network(torch.from_numpy(tokens[:, :-1]))[torch.from_numpy(marked[:, 1:])]
    found = model.head.log_probs(vectors, model.network.output_embedding).argmax(dim=1)
    return found.numpy() == tokens[:, 1:][marked[:, 1:]]


def foretelling(examples: Examples) -> WindowBatch:
    """As the language model takes them: it learns what is marked."""
    tokens, marked = examples
    return WindowBatch(tokens, marked, np.arange(len(tokens)), np.zeros(len(tokens), bool), ends=True)


def last_loss(steps: Iterator[Step]) -> float:
    """Train to the end; the mean loss of the last step."""
    loss = float("nan")
    for step in steps:
        loss = step.loss
    return loss
