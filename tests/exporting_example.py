"""The program that travels with an exported model, loaded as whoever finds it would."""

import importlib.util

import scansion


def exported_example(estimator, folder, target="onnx"):
    scansion.export(estimator, target).save(folder)
    spec = importlib.util.spec_from_file_location("example", folder / "example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
