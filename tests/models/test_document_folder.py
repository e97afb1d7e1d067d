"""Weights that are not those of the family they come with."""

import numpy as np
import pytest
from safetensors.numpy import load_file

import scansion
from scansion.errors import UnsafeFolderError
from scansion.storage.folders import publish
from scansion.storage.limits import CONFIG, VOCABULARY, WEIGHTS

TEXTS = ["rain and wind", "sun and rain", "sun and wind", "wind and sun"] * 3
WIDTH = 8
OUTPUT = "output.weight"
SHAPES = {
    "no matrix": np.zeros(2 * WIDTH, np.float32),
    "a single number": np.zeros((), np.float32),
    "of another width": np.zeros((1, 5 * WIDTH), np.float32),
    "of more answers": np.zeros((7, 3 * WIDTH), np.float32),
}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    model = scansion.DocumentClassifier(scansion.LSTM(width=WIDTH), processes=1, random_state=0)
    model.fit(TEXTS, ["a", "b"] * 6).save(folder)
    return folder


@pytest.mark.parametrize("name", SHAPES)
def test_an_output_layer_that_fits_no_encoder_is_refused_with_a_sentence(fitted, tmp_path, name):
    files = {each: (fitted / each).read_bytes() for each in (CONFIG, VOCABULARY)}
    tensors = load_file(fitted / WEIGHTS)
    assert OUTPUT in tensors
    tensors[OUTPUT] = SHAPES[name]
    described = {"task": "classify", "family": "lstm", "data_fingerprint": "0" * 64}
    publish(tmp_path / "model", files | {WEIGHTS: tensors}, described)
    with pytest.raises(UnsafeFolderError, match=r"weights\.safetensors does not fit config\.json"):
        scansion.load(tmp_path / "model")
