"""Tiny models of every task, and one server process that has them all."""

from pathlib import Path

import pytest

import scansion
from scansion.learning.training import TranslationTraining
from serving_process import LABELS, TEXTS, serving
from small_families import SMALL, small

ONCE = scansion.Training(max_tokens=200, min_epochs=1, max_epochs=1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Model folders by the names they are served under."""
    place = tmp_path_factory.mktemp("served")
    one = {"processes": 1, "random_state": 0}
    family = small(type(scansion.TransformerEncoderDecoder()))
    sets = [("even",) * (i % 2 == 0) + ("fifth",) * (i % 5 == 0) for i in range(40)]
    models = {
        "bag": scansion.DocumentClassifier("bag-of-words").fit(TEXTS, LABELS),
        "lstm": scansion.DocumentClassifier(SMALL["lstm"], training=ONCE, **one).fit(TEXTS, LABELS),
        "sets": scansion.DocumentClassifier("bag-of-words").fit(TEXTS, sets),
        "numbers": scansion.DocumentRegressor("n-grams").fit(TEXTS, [float(len(text)) for text in TEXTS]),
        "frozen": scansion.DocumentClassifier(scansion.Pretrained(SMALL["pretrained"].source, "frozen")).fit(
            TEXTS, LABELS
        ),
        "detect": scansion.DocumentClassifier("bag-of-words").fit(["the house"] * 9 + ["das Haus"] * 9,
                                                                  ["en"] * 9 + ["de"] * 9),
        "writer": scansion.LanguageModel(tokens="characters").fit(["to be or not to be"] * 5),
        "en-de": scansion.Translator(family, vocab_size=300, training=TranslationTraining(
            min_epochs=1, max_epochs=1), **one).fit(["one two", "two three"] * 20, ["eins zwei", "zwei drei"] * 20),
    }
    for name, model in models.items():
        model.save(place / name)
    return {name: place / name for name in models}


@pytest.fixture(scope="session")
def loaded(folders) -> dict[str, object]:
    return {name: scansion.load(folder) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def server(folders, warm_processes) -> str:
    """The address of a server that has all models."""
    with serving(folders) as (address, _):
        yield address
