"""The program that travels with an exported model, loaded as whoever finds it would, and texts to ask it."""

import importlib.util
from functools import cache

import scansion
from scansion.families.ngrams import NGrams
from scansion.families.pretrained import Pretrained
from small_families import ENCODER, SMALL

TEXTS = ["a red round thing", "a blue square thing", "red and red and round", "blue, square, and blue!"] * 8
LABELS = ["red", "blue"] * 16
STRANGE = [
    "a red thing", "", "rounded bluish squares, unseen", "red", "Ünseen wörds", "red " * 28, "ไทย 中文 don't", "!",
    "blue square " * 9 + "reddish",
]


FAMILIES = {
    **SMALL, "n-grams beside static": NGrams(static=ENCODER, min_documents=1), "frozen": Pretrained(ENCODER, "frozen"),
}


@cache
def fitted(name):
    """A classifier of a family, fitted once for all tests that run in one process."""
    return scansion.DocumentClassifier(FAMILIES[name], random_state=0).fit(TEXTS, LABELS)


def exported_example(estimator, folder, target="onnx"):
    scansion.export(estimator, target).save(folder)
    spec = importlib.util.spec_from_file_location("example", folder / "example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
