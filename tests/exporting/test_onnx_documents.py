"""What a document model answers in onnxruntime, read by the example that travels with it, is what it answers here."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

import scansion
from encoders import TINY
from exporting_example import FAMILIES, LABELS, STRANGE, TEXTS, exported_example, fitted
from scansion.cli.export import export
from scansion.cli.predict import predict
from scansion.errors import StorageError, UsageError
from scansion.families.bag_of_words import BagOfWords
from scansion.layers.pooling import POOLINGS
from scansion.learning.frozen_encoder import FrozenEncoder, FrozenVectors
from small_families import SMALL


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_answers_alike_whatever_it_is_batched_with(name, tmp_path):
    model = fitted(name)
    example = exported_example(model, tmp_path / "folder")
    wanted = model.predict_proba(STRANGE)
    assert np.allclose(example.scores(STRANGE), wanted, atol=1e-5)
    alone = np.concatenate([example.scores([text]) for text in STRANGE])
    assert np.allclose(alone, wanted, atol=1e-5)


def test_no_graph_adds_up_by_scattering_which_threads_of_onnxruntime_lose_parts_of(tmp_path):
    model = fitted("rnn")
    example = exported_example(model, tmp_path / "folder")
    nodes = onnx.load(tmp_path / "folder" / "model.onnx").graph.node
    assert not [node.name for node in nodes if node.op_type.startswith("Scatter")]
    texts = ["film" * 500, "good" * 3 + " film"]  # all pieces of a word meet in one place
    wanted = model.predict_proba(texts)
    for _ in range(10):
        assert np.allclose(example.scores(texts), wanted, atol=1e-5)


@pytest.mark.parametrize("options", [
    {"positions": "learned", "activation": "gelu", "layers": 2}, {"positions": "none", "activation": "tanh"},
    {"activation": "sigmoid"},
], ids=str)
def test_no_option_of_a_transformer_is_dropped(options, tmp_path):
    family = replace(SMALL["transformer"], **options)
    model = scansion.DocumentClassifier(family, random_state=0).fit(TEXTS[:8], LABELS[:8])
    assert np.allclose(exported_example(model, tmp_path / "folder").scores(STRANGE), model.predict_proba(STRANGE),
                       atol=1e-5)


def test_every_pooling_of_a_frozen_encoder_is_the_same(tmp_path):
    model = fitted("frozen").check_fitted()
    for pooling in POOLINGS:
        vectors = FrozenVectors(replace(model.model.vectors.encoder, pooling=(pooling,), keeps=False))
        vectors.mean, vectors.deviation = model.model.vectors.mean, model.model.vectors.deviation
        other = scansion.DocumentClassifier.from_fitted(replace(model, model=replace(model.model, vectors=vectors)))
        found = exported_example(other, tmp_path / pooling).scores(STRANGE)
        assert np.allclose(found, other.predict_proba(STRANGE), atol=1e-5), pooling


def test_relative_positions_of_an_mpnet_are_kept(tmp_path):
    encoder = FrozenEncoder(replace(TINY, relative_positions=8).build(40).eval(), TINY.width, TINY.max_length)
    model = fitted("frozen").check_fitted()
    vectors = FrozenVectors(encoder)
    vectors.mean, vectors.deviation = model.model.vectors.mean, model.model.vectors.deviation
    other = scansion.DocumentClassifier.from_fitted(replace(model, model=replace(model.model, vectors=vectors)))
    found = exported_example(other, tmp_path / "folder").scores(STRANGE)
    assert np.allclose(found, other.predict_proba(STRANGE), atol=1e-5)
    with pytest.raises(UsageError, match="no place for relative positions"):
        scansion.export(other, "keras")


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
    model = fitted("frozen")
    with pytest.raises(ValueError, match="at most 30 are read at a time"):
        exported_example(model, tmp_path / "folder").scores(["red " * 40])


@pytest.mark.parametrize("target", ["onnx", "keras"])
def test_what_a_target_cannot_carry_is_refused_with_a_sentence(target):
    older = fitted("lstm").check_fitted()
    older = scansion.DocumentClassifier.from_fitted(replace(older, model=replace(older.model, word_rule=1)))
    with pytest.raises(UsageError, match="read by rule 1, of an older version"):
        scansion.export(older, target)
    for name in ("frozen", "pretrained"):
        with pytest.raises(UsageError, match="in another engine"):
            scansion.export(scansion.export(fitted(name), "ctranslate2"), target)


def test_eight_bits_are_refused_and_no_foreign_folder_is_replaced(tmp_path):
    model = fitted("bag-of-words")
    with pytest.raises(UsageError, match="written in float32"):
        scansion.export(model, "onnx", "int8")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"holds notes.txt"):
        scansion.export(model, "onnx").save(tmp_path)


def test_the_command_writes_the_folder_and_replaces_an_older_one_when_asked_to(tmp_path):
    fitted("bag-of-words").save(tmp_path / "model")
    export(str(tmp_path / "model"), "onnx", tmp_path / "folder")
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == [
        "example.mjs", "example.py", "model.onnx", "vocabulary.json",
    ]
    with pytest.raises(UsageError, match="exists already"):
        export(str(tmp_path / "model"), "onnx", tmp_path / "folder")
    export(str(tmp_path / "model"), "onnx", tmp_path / "folder", force=True)
    with pytest.raises(UsageError, match="runs nothing here"):
        predict(str(tmp_path / "model"), "-", engine="onnx")
    with pytest.raises(UsageError, match="did you mean 'onnx'"):
        export(str(tmp_path / "model"), "onxx", tmp_path / "other")
