"""What a document model answers in Keras, read by the program that travels with it, is what it answers here."""

import zipfile

import numpy as np
import pytest

from exporting_example import FAMILIES, STRANGE, exported_example, fitted

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
IN_EVERY_RUN = ("n-grams beside static", "lstm", "transformer", "frozen")


@pytest.mark.parametrize("name", [
    name if name in IN_EVERY_RUN else pytest.param(name, marks=pytest.mark.long) for name in FAMILIES
])
def test_every_family_answers_alike(name, tmp_path):
    model = fitted(name)
    example = exported_example(model, tmp_path / "folder", "keras")
    assert np.allclose(example.scores(STRANGE), model.predict_proba(STRANGE), atol=1e-5)


def test_the_file_holds_no_code(tmp_path):
    exported_example(fitted("lstm"), tmp_path / "folder", "keras")
    with zipfile.ZipFile(tmp_path / "folder" / "model.keras") as file:
        assert file.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert b"Lambda" not in file.read("config.json")
