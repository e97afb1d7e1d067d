"""A bag of words cannot tell "work to live" from "live to work".

    bag of words:  one vector for both sentences;     n-grams:  different only if both words stand within n
    RNN, LSTM:     a state carries the first word to the second
    Transformer:   every word looks at every other; without positions it is a bag (Vaswani et al. 2017, section 3.5)

Sentences in pairs that hold the same words in a different order, the two that matter 1 to 64 words apart.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, share_at, share_of
from scansion.claims.sequences import ORDER_WORDS, order_pairs, spoken
from scansion.claims.short_training import classifier, classifier_training, is_right, last_loss
from scansion.families.bag_of_words import BagOfWords
from scansion.families.lstm import LSTM
from scansion.families.ngrams import NGrams
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.randomness import stream
from scansion.tasks.classifier import DocumentClassifier

DISTANCES, LENGTH, NEAR, FAR = np.array([1, 2, 4, 8, 16, 32, 64]), 66, 2, 64
ROWS, STEPS, TESTED = 16, 300, 100
COUNTED = {"bag of words": BagOfWords(1, "none"), "n-grams, N = 3": NGrams(3, 1, False, "none")}
WIDTH = 32
NETWORKS = {
    "RNN": (RNN(WIDTH, 0.0, 0.0), 5e-3), "LSTM": (LSTM(WIDTH, 0.0, 0.0), 1e-2),
    "Transformer": (Transformer(WIDTH, 4, 1, 2 * WIDTH, 0.0, 0.0, 0.0), 5e-3),
    "Transformer without positions": (Transformer(WIDTH, 4, 1, 2 * WIDTH, 0.0, 0.0, 0.0, positions="none"), 5e-3),
}
Right = dict[str, dict[int, list[NDArray]]]


def tested(distance: int) -> tuple[NDArray, NDArray]:
    """The same sentences for every family and seed."""
    return order_pairs(stream(0, "order, test", distance), TESTED, np.array([distance]), LENGTH)


def counted(family: Any, seed: int) -> dict[int, NDArray]:
    """Of a family that counts, which of the test sentences it answers right, by distance."""
    tokens, labels = order_pairs(stream(seed, "order, counted"), 500, DISTANCES, LENGTH)
    model = DocumentClassifier(family, processes=1, random_state=seed).fit(spoken(tokens), labels)
    return {int(each): model.predict(spoken(tested(each)[0])) == tested(each)[1] for each in DISTANCES}


def trained(name: str, seed: int, steps: int) -> dict[int, NDArray]:
    """The same of a network."""
    family, learning_rate = NETWORKS[name]
    network = classifier(family, ORDER_WORDS, 2, seed)
    last_loss(classifier_training(
        network, lambda step: order_pairs(stream(seed, "order", step), ROWS // 2, DISTANCES, LENGTH), steps,
        learning_rate, seed,
    ))
    return {int(each): is_right(network, tested(each)) for each in DISTANCES}


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Every family on every distance."""
    right: Right = {name: {int(each): [] for each in DISTANCES} for name in (*COUNTED, *NETWORKS)}
    for number in budget.seeds_from(seed):
        for name in right:
            yield f"{name}, seed {number}"
            found = counted(COUNTED[name], number) if name in COUNTED else trained(name, number, budget.of(STEPS))
            for distance, each in found.items():
                right[name][distance].append(each)
    figures = {
        (name, distance): share_of(f"{name}: accuracy at distance {distance}", right[name][distance], told)
        for (name, distance), told in PREDICTED.items()
    }
    curves = tuple(
        Curve(name, tuple(share_at(distance, each) for distance, each in found.items()))
        for name, found in right.items()
    )
    value = {key: f"{100 * figure.value:.0f} %" for key, figure in figures.items()}
    return Measurement(
        f"Of sentences that differ in order alone a bag of words gets {value['bag of words', NEAR]} right, "
        f"n-grams with N = 3 {value['n-grams, N = 3', NEAR]} at distance {NEAR} and {value['n-grams, N = 3', FAR]} at "
        f"{FAR}; there the RNN has {value['RNN', FAR]}, the LSTM {value['LSTM', FAR]}, the Transformer "
        f"{value['Transformer', FAR]}, and without positions {value['Transformer without positions', FAR]}.",
        tuple(figures.values()),
        (Chart("Which of two words comes first", "A bag is at chance at every distance, n-grams beyond N; what carries "
               "a state or looks everywhere is not.", "distance in words, in ratios", "accuracy in %", curves, "%",
               logarithmic_across=True),),
    )


PREDICTED = {
    ("bag of words", NEAR): "50 % exactly", ("n-grams, N = 3", NEAR): "100 %", ("n-grams, N = 3", FAR): "50 %",
    ("RNN", FAR): "solved, if its gradient lasts", ("LSTM", FAR): "solved", ("Transformer", FAR): "solved",
    ("Transformer without positions", FAR): "50 % exactly",
}
CLAIM = Claim(
    "order", "A bag of words cannot tell “work to live” from “live to work”.",
    "by construction; Transformer without positions: Vaswani et al. 2017, section 3.5",
    "Equal vectors give equal answers: half are right. N-grams differ only within N words.",
    (
        Condition(f"bag of words: accuracy at distance {NEAR}", most=0.6),
        Condition(f"n-grams, N = 3: accuracy at distance {FAR}", most=0.6),
        Condition(f"Transformer: accuracy at distance {FAR}", least=0.9),
        Condition(f"LSTM: accuracy at distance {FAR}", least=0.9),
        Condition(f"RNN: accuracy at distance {FAR}", least=0.9, core=False),
        Condition(f"Transformer without positions: accuracy at distance {FAR}", most=0.6, core=False),
    ),
    experiment,
)
