"""Sine and cosine signals of different frequency are how a Transformer knows position.

    PE(p, 2i) = sin(p / 10000^(2i / D)),     PE(p, 2i + 1) = cos(p / 10000^(2i / D))

Vaswani et al. 2017, section 3.5 and table 3 E: learned positions are as good.  Beyond the lengths of training neither
is trusted to go far (Press et al. 2022).  The task of the claim ``order``, read at up to four times the length trained.
"""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import (
    Chart,
    Condition,
    Curve,
    Matrices,
    Matrix,
    Measurement,
    share_at,
    share_of,
)
from scansion.claims.sequences import ORDER_WORDS, order_pairs
from scansion.claims.short_training import classifier, classifier_training, is_right, last_loss
from scansion.families.transformer import Transformer
from scansion.layers.positions import sinusoidal_positions
from scansion.randomness import stream

KINDS, WIDTH, ROWS, STEPS, TESTED = ("sinusoidal", "learned", "none"), 32, 24, 500, 150
TRAINED, LENGTHS, LEARNING_RATE = 16, (8, 16, 24, 32, 48, 64), 5e-3
SHOWN = 24


def sentences(random: np.random.Generator, pairs: int, length: int) -> tuple[NDArray, NDArray]:
    """The two words that matter at any distance."""
    return order_pairs(random, pairs, np.arange(1, length), length)


def by_length(kind: str, seed: int, steps: int) -> list[NDArray]:
    """Which test sentences of each length are right, after training on those of up to TRAINED words."""
    family = Transformer(WIDTH, 4, 1, 2 * WIDTH, 0.0, 0.0, 0.0, max_length=max(LENGTHS), positions=kind)
    network = classifier(family, ORDER_WORDS, 2, seed)

    def batch(step: int) -> tuple[NDArray, NDArray]:
        random = stream(seed, "positions", step)
        return sentences(random, ROWS // 2, int(random.integers(4, TRAINED + 1)))

    last_loss(classifier_training(network, batch, steps, LEARNING_RATE, seed))
    return [is_right(network, sentences(stream(0, "positions, test", length), TESTED, length)) for length in LENGTHS]


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Every kind of positions, at every length."""
    right: dict[str, list[list[NDArray]]] = {kind: [] for kind in KINDS}
    for number in budget.seeds_from(seed):
        for kind in KINDS:
            yield f"{kind}, seed {number}"
            right[kind].append(by_length(kind, number, budget.of(STEPS)))
    at = {length: i for i, length in enumerate(LENGTHS)}
    figures = {
        (kind, length): share_of(f"{kind}: accuracy at {length} words", [run[at[length]] for run in right[kind]], told)
        for (kind, length), told in PREDICTED.items()
    }
    value = {key: f"{100 * figure.value:.0f} %" for key, figure in figures.items()}
    curves = tuple(
        Curve(kind, tuple(share_at(length, [run[at[length]] for run in right[kind]]) for length in LENGTHS))
        for kind in KINDS
    )
    table = sinusoidal_positions(SHOWN, WIDTH).numpy()
    signals = Matrix(
        "sinusoids", tuple(str(i) for i in range(SHOWN)), tuple(str(i) for i in range(WIDTH)),
        tuple(tuple(float(each) for each in row) for row in table),
    )
    return Measurement(
        f"On sentences as long as those trained on, the Transformer tells which word comes first with sinusoids in "
        f"{value['sinusoidal', TRAINED]} of cases, with learned positions in {value['learned', TRAINED]} and with none "
        f"in {value['none', TRAINED]}; on sentences four times as long in {value['sinusoidal', 64]}, "
        f"{value['learned', 64]} and {value['none', 64]}.",
        tuple(figures.values()),
        (
            Chart("Accuracy by length", f"Trained on at most {TRAINED} words; longer sentences are new to all three.",
                  "words in the sentence", "accuracy in %", curves, "%"),
            Matrices("The signals", "Every position has a pattern of its own: fast waves left, slow ones right.",
                     f"dimension, 0 to {WIDTH - 1}", f"position, 0 to {SHOWN - 1}", (signals,), -1.0, 1.0),
        ),
    )


PREDICTED = {
    ("sinusoidal", TRAINED): "solved", ("learned", TRAINED): "as good (table 3 E)", ("none", TRAINED): "50 % exactly",
    ("sinusoidal", 64): "worse (Press et al. 2022)", ("learned", 64): "50 %: never trained", ("none", 64): "50 %",
}
CLAIM = Claim(
    "positions", "Sine and cosine signals of different frequency are how a Transformer knows position.",
    "Vaswani et al. 2017, section 3.5 and table 3 E; Press et al. 2022",
    "Without positions it is a bag; learned ones are as good as sinusoids; neither reads far beyond its training.",
    (
        Condition(f"sinusoidal: accuracy at {TRAINED} words", least=0.95),
        Condition(f"none: accuracy at {TRAINED} words", most=0.6),
        Condition(f"learned: accuracy at {TRAINED} words", least=0.95, core=False),
        Condition("sinusoidal: accuracy at 64 words", least=0.9, core=False),
    ),
    experiment,
)
