"""The program that travels with an exported model, loaded as whoever finds it would, and texts to ask it."""

import importlib.util

import scansion

TEXTS = ["a red round thing", "a blue square thing", "red and red and round", "blue, square, and blue!"] * 8
LABELS = ["red", "blue"] * 16
STRANGE = [
    "a red thing", "", "rounded bluish squares, unseen", "red", "Ünseen wörds", "red " * 28, "ไทย 中文 don't", "!",
    "blue square " * 9 + "reddish",
]


def exported_example(estimator, folder, target="onnx"):
    scansion.export(estimator, target).save(folder)
    spec = importlib.util.spec_from_file_location("example", folder / "example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
