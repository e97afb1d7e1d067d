"""Both PyTorch and TensorFlow: one file of weights, two frameworks, the same numbers; where TensorFlow is installed."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import scansion
from exporting_example import FAMILIES, STRANGE, fitted

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"),
]
ASK = "import json, sys, example; print(json.dumps(example.scores(json.loads(sys.argv[1])).tolist()))"
MAKE = """
import keras, sys
model = keras.saving.load_model("model.keras")
model.export("saved", format="tf_saved_model", verbose=False)
import numpy, tensorflow, example
rows = [example.read(text) for text in ("a red thing", "blue")]
given = {}
for name in example.INPUTS:
    longest = max([1, *(len(row[name]) for row in rows)])
    given[name] = numpy.array([row[name] + [0] * (longest - len(row[name])) for row in rows], numpy.int32)
loaded = tensorflow.saved_model.load("saved")
found = loaded.serve(
    [tensorflow.constant(given[each.name.split(":")[0]]) for each in model.inputs])["scores"]
assert numpy.abs(found.numpy() - example.run(given)).max() < 1e-6
"""


def on_tensorflow(folder, program, *arguments):
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program, *arguments], cwd=folder, env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_file_that_pytorch_wrote_answers_alike_on_tensorflow(name, tmp_path):
    model = fitted(name)
    scansion.export(model, "keras").save(tmp_path / "folder")
    found = json.loads(on_tensorflow(tmp_path / "folder", ASK, json.dumps(STRANGE)).splitlines()[-1])
    assert np.allclose(found, model.predict_proba(STRANGE), atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["bag-of-words", "lstm", "transformer"])
def test_keras_makes_a_saved_model_of_it(name, tmp_path):
    model = fitted(name)
    scansion.export(model, "keras").save(tmp_path / "folder")
    on_tensorflow(tmp_path / "folder", MAKE)
