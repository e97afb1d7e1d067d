"""What a document model answers in onnxruntime, read by the example that travels with it, is what it answers here."""

from dataclasses import replace

import numpy as np
import pytest

import scansion
from exporting_example import LABELS, STRANGE, TEXTS, exported_example
from scansion.errors import StorageError, UsageError
from scansion.families.bag_of_words import BagOfWords
from scansion.families.ngrams import NGrams
from scansion.families.pretrained import Pretrained
from small_families import ENCODER, SMALL

FAMILIES = {
    **{name: SMALL[name] for name in SMALL},
    "n-grams beside static": NGrams(static=ENCODER, min_documents=1),
    "frozen": Pretrained(ENCODER, "frozen"),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_family_answers_alike_whatever_it_is_batched_with(family, tmp_path):
    model = scansion.DocumentClassifier(family, random_state=0).fit(TEXTS, LABELS)
    example = exported_example(model, tmp_path / "folder")
    wanted = model.predict_proba(STRANGE)
    assert np.allclose(example.scores(STRANGE), wanted, atol=1e-5)
    alone = np.concatenate([example.scores([text]) for text in STRANGE])
    assert np.allclose(alone, wanted, atol=1e-5)


@pytest.mark.parametrize("options", [
    {"positions": "learned", "activation": "gelu"}, {"positions": "none", "activation": "tanh"},
    {"activation": "sigmoid", "layers": 2},
], ids=str)
def test_no_option_of_a_transformer_is_dropped(options, tmp_path):
    family = replace(SMALL["transformer"], **options)
    model = scansion.DocumentClassifier(family, random_state=0).fit(TEXTS, LABELS)
    assert np.allclose(exported_example(model, tmp_path / "folder").scores(STRANGE), model.predict_proba(STRANGE),
                       atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"])
def test_every_pooling_of_a_frozen_encoder_is_the_same(pooling, tmp_path):
    model = scansion.DocumentClassifier(Pretrained(ENCODER, "frozen", pooling=pooling)).fit(TEXTS, LABELS)
    assert np.allclose(exported_example(model, tmp_path / "folder").scores(STRANGE), model.predict_proba(STRANGE),
                       atol=1e-5)


TARGETS = {
    "three labels": [["red", "blue", "both"][i % 3] for i in range(32)],
    "one label": ["red"] * 32,
    "sets of labels": [("red", "thing") if i % 2 else ("thing",) if i % 3 else () for i in range(32)],
}


@pytest.mark.parametrize("targets", TARGETS.values(), ids=TARGETS)
@pytest.mark.filterwarnings("ignore::scansion.errors.TargetWarning")
def test_every_kind_of_answer_has_its_scores(targets, tmp_path):
    model = scansion.DocumentClassifier(BagOfWords(), random_state=0).fit(TEXTS, targets)
    assert np.allclose(exported_example(model, tmp_path / "folder").scores(STRANGE), model.predict_proba(STRANGE),
                       atol=1e-5)


def test_a_number_is_on_its_own_scale(tmp_path):
    model = scansion.DocumentRegressor("bag-of-words", random_state=0).fit(TEXTS, [1000.0 + i % 4 for i in range(32)])
    found = exported_example(model, tmp_path / "folder").scores(STRANGE)[:, 0]
    assert np.allclose(found, model.predict(STRANGE), rtol=1e-6)


def test_a_text_that_is_longer_than_a_model_reads_is_refused_by_the_example(tmp_path):
    model = scansion.DocumentClassifier(Pretrained(ENCODER, "frozen")).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="at most 30 are read at a time"):
        exported_example(model, tmp_path / "folder").scores(["red " * 40])


def test_eight_bits_are_refused_and_no_foreign_folder_is_replaced(tmp_path):
    model = scansion.DocumentClassifier(BagOfWords()).fit(TEXTS, LABELS)
    with pytest.raises(UsageError, match="written in float32"):
        scansion.export(model, "onnx", "int8")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"holds notes.txt"):
        scansion.export(model, "onnx").save(tmp_path)
