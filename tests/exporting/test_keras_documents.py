"""What a document model answers in Keras, read by the program that travels with it, is what it answers here."""

import zipfile

import numpy as np
import pytest

import scansion
from exporting_example import LABELS, STRANGE, TEXTS, exported_example
from scansion.families.ngrams import NGrams
from scansion.families.pretrained import Pretrained
from small_families import ENCODER, SMALL

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
FAMILIES = {
    **SMALL, "n-grams beside static": NGrams(static=ENCODER, min_documents=1),
    "frozen": Pretrained(ENCODER, "frozen", pooling="weightedmean"),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_family_answers_alike(family, tmp_path):
    model = scansion.DocumentClassifier(family, random_state=0).fit(TEXTS, LABELS)
    example = exported_example(model, tmp_path / "folder", "keras")
    assert np.allclose(example.scores(STRANGE), model.predict_proba(STRANGE), atol=1e-5)
    assert zipfile.ZipFile(tmp_path / "folder" / "model.keras").namelist() == [
        "metadata.json", "config.json", "model.weights.h5"
    ]
