"""Folders keep the words they were trained on: one that names no rule reads text as it is spelled."""

import json
from pathlib import Path

import numpy as np
import pytest

import scansion
from scansion.errors import UnsafeFolderError
from scansion.storage.folders import publish
from scansion.storage.limits import CONFIG, VOCABULARY, WEIGHTS

FOLDER = Path(__file__).parent / "fixtures" / "without_word_rule"
KNOWN = json.loads(FOLDER.with_suffix(".json").read_text("utf-8"))


def config_of(folder: Path) -> dict:
    return json.loads((folder / CONFIG).read_text("utf-8"))


def test_a_folder_without_a_word_rule_answers_as_it_did_and_does_so_when_saved_again(tmp_path):
    assert "word_rule" not in config_of(FOLDER)["fit"]
    older = scansion.load(FOLDER)
    older.save(tmp_path / "again")
    assert config_of(tmp_path / "again")["fit"]["word_rule"] == 1
    for model in (older, scansion.load(tmp_path / "again")):
        np.testing.assert_allclose(model.decision_function(KNOWN["texts"]), KNOWN["logits"], rtol=1e-12)
        assert model.coverage(KNOWN["texts"]).tolist() == KNOWN["coverage"]
        explained = model.explain(KNOWN["texts"][0])
        assert explained.tokens == KNOWN["tokens"]
        np.testing.assert_allclose(explained.contributions, KNOWN["contributions"], rtol=1e-9, atol=1e-12)
        assert model.look(KNOWN["texts"][0]).words == tuple(KNOWN["tokens"])


@pytest.mark.parametrize("family", ["bag-of-words", scansion.LSTM(width=8)], ids=["counted", "learned"])
def test_a_new_folder_names_its_word_rule_and_reads_the_same_words(family, tmp_path):
    texts = [text for text in KNOWN["texts"] for _ in range(2)]
    training = scansion.Training(min_epochs=1, max_epochs=1)
    model = scansion.DocumentClassifier(family, training=training, processes=1, random_state=0)
    model.fit(texts, ["a", "b"] * 6).save(tmp_path / "model")
    assert config_of(tmp_path / "model")["fit"]["word_rule"] == 2
    again = scansion.load(tmp_path / "model")
    assert (again.decision_function(texts) == model.decision_function(texts)).all()
    plain = ["great sunny", "café café", "wonderful"]
    equivalent = ["\ufeffgreat\u00ad sunny", "cafe\u0301 café", "wonder\u00adful"]
    assert (again.decision_function(plain) == again.decision_function(equivalent)).all()


def test_a_word_rule_of_a_later_version_is_refused_in_a_sentence(tmp_path):
    config = config_of(FOLDER)
    config["fit"]["word_rule"] = 3
    files = {name: (FOLDER / name).read_bytes() for name in (VOCABULARY, WEIGHTS)}
    described = {"task": "classify", "family": "bag-of-words", "data_fingerprint": "0" * 64}
    publish(tmp_path / "model", files | {CONFIG: json.dumps(config).encode()}, described)
    with pytest.raises(UnsafeFolderError, match=r"'fit.word_rule' must be one of 1, 2, got the number 3"):
        scansion.load(tmp_path / "model")
