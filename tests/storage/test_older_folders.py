"""Model folders of format version 1, written when the format was that: they load, answer as they did, and are strict.

Beside each folder stand what was asked and what its model answered before it was saved.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import scansion
from scansion.errors import StorageError, UnsafeFolderError
from scansion.learning.seq2seq import batch_of
from scansion.storage.folders import open_folder
from scansion.text.pairs import Pairs

FIXTURES = Path(__file__).parent / "fixtures"
DOCUMENTS = [
    "n-grams", "character-n-grams", "lstm", "transformer", "regressor", "multilabel", "frozen", "fine-tuned",
]
TRANSLATORS = [
    "translation-transformer", "translation-lstm", "translation-rnn", "translation-lstm-without-attention",
]
LARGEST_FOLDER = 60_000
EXACT = 1e-6
Change = Callable[[dict[str, Any]], Any]


def folder_of(name: str) -> Path:
    return FIXTURES / f"version_1_{name}"


def stored(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"version_1_{name}.json").read_text(encoding="utf-8"))


def check_documents(model: Any, answers: dict[str, Any]) -> None:
    logits = model.decision_function(answers["asked"])
    np.testing.assert_allclose(logits, answers["decision_function"], rtol=0, atol=EXACT)
    found, wanted = model.predict(answers["asked"]), answers["predict"]
    if model.task == "regress":
        np.testing.assert_allclose(found, wanted, rtol=0, atol=EXACT * model.fitted_.head.deviation)
    else:
        assert np.asarray(found).tolist() == wanted


def check_translations(model: Any, answers: dict[str, Any]) -> None:
    fitted, asked = model.fitted_, answers["asked"]
    pairs = Pairs(fitted.tokenizer.encode(asked), fitted.tokenizer.encode(answers["references"]))
    with torch.inference_mode():
        found = fitted.model.eval().negative_log_likelihood(batch_of(pairs, np.arange(len(asked))))
    np.testing.assert_allclose(found, answers["negative_log_likelihoods"], rtol=EXACT, atol=EXACT)
    assert model.predict(asked) == answers["predict"]


CHECKS = dict.fromkeys(DOCUMENTS, check_documents) | dict.fromkeys(TRANSLATORS, check_translations)


def test_every_folder_here_is_checked_and_small():
    there = {path.name.removeprefix("version_1_") for path in FIXTURES.iterdir() if path.is_dir()}
    assert there == {*CHECKS, "version_1"}  # the last is of no model: test_model_folders.py reads it
    assert all(sum(file.stat().st_size for file in folder_of(name).iterdir()) < LARGEST_FOLDER for name in CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_model_of_version_1_answers_as_it_did_and_does_so_when_saved_again(name, tmp_path):
    assert open_folder(folder_of(name)).manifest.format_version == 1
    model, answers = scansion.load(folder_of(name)), stored(name)
    CHECKS[name](model, answers)
    model.save(tmp_path / "model")
    old, new = open_folder(folder_of(name)).manifest, open_folder(tmp_path / "model").manifest
    assert new.format_version == 2
    assert (new.task, new.data_fingerprint) == (old.task, old.data_fingerprint)
    again = scansion.load(tmp_path / "model")
    CHECKS[name](again, answers)
    assert again.fitted_.description == model.fitted_.description
    assert again.get_params() == model.get_params()


def test_what_a_model_was_fitted_with_is_known_by_the_names_of_today():
    fit = scansion.load(folder_of("n-grams")).fitted_.description
    assert (fit.family.order, fit.family.min_documents, fit.family.char_ngrams) == (2, 10, False)
    assert (fit.task, fit.seed, fit.rows) == ("classify", 0, 60)
    fit = scansion.load(folder_of("lstm")).fitted_.description
    assert (fit.family.width, fit.class_weight, fit.seed) == (4, "balanced", 1)
    assert (fit.training.min_epochs, fit.training.max_epochs, fit.training.max_batch_tokens) == (8, 8, 50)
    assert fit.head.labels == ("bad", "good")
    fit = scansion.load(folder_of("transformer")).fitted_.description
    assert (fit.family.heads, fit.family.feed_forward, fit.family.max_length) == (2, 8, 16)
    fit = scansion.load(folder_of("fine-tuned")).fitted_.description
    assert (fit.family.source, fit.family.mode, fit.family.encoder_lr_scale) == ("tiny-mpnet", "fine-tuned", 0.5)
    assert fit.training.averaging_fraction == 0.2
    fit = scansion.load(folder_of("translation-lstm")).fitted_.description
    assert (fit.family.width, fit.family.hidden_size, fit.vocab_size, fit.rows) == (8, 4, 270, 57)
    assert (fit.training.min_epochs, fit.training.warmup) == (30, 0.1)


def test_every_relative_position_bias_is_read():
    """Of a fine-tuned MPNet: without them it would answer differently."""
    model, answers = scansion.load(folder_of("fine-tuned")), stored("fine-tuned")
    model.fitted_.model.network.encoder.relative_positions.buckets.weight.data.zero_()
    moved = model.decision_function(answers["asked"]) - np.array(answers["decision_function"])
    assert np.abs(moved).max() > 100 * EXACT


# --- what is not of version 1 is refused --------------------------------------------------------------------------


def forge(name: str, place: Path, change: Change) -> Path:
    """A copy whose configuration is changed and whose seals all hold."""
    shutil.copytree(folder_of(name), place)
    data = json.dumps(change(json.loads((place / "config.json").read_text()))).encode()
    (place / "config.json").write_bytes(data)
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["files"]["config.json"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    unsealed = json.dumps(manifest | {"seal": ""})
    seal = hashlib.sha256(unsealed.encode()).hexdigest()
    (place / "manifest.json").write_text(unsealed.replace('"seal": ""', f'"seal": "{seal}"'))
    return place


def put(value: Any, *keys: str) -> Change:
    def change(config: dict[str, Any]) -> dict[str, Any]:
        key, *below = keys
        return config | {key: put(value, *below)(config[key]) if below else value}

    return change


def without(*keys: str) -> Change:
    def change(config: dict[str, Any]) -> dict[str, Any]:
        key, *below = keys
        if below:
            return config | {key: without(*below)(config[key])}
        return {name: each for name, each in config.items() if name != key}

    return change


REFUSED: dict[str, tuple[str, Change, str]] = {
    "an unknown key": ("lstm", put(1, "soul"), "unknown key 'soul'"),
    "a key of version 2": ("lstm", put({}, "fit"), "unknown key 'fit'"),
    "a key of version 2 that version 1 has too": ("lstm", put("trained", "kind"), "'fit.head.name' is not known"),
    "an option of version 2": ("transformer", put(9, "options", "max_length"), "unknown key 'options.max_length'"),
    "an option under both names": ("n-grams", put(3, "options", "order"), "unknown key 'options.order'"),
    "an option that never was": ("lstm", put(3, "options", "depth"), "unknown key 'fit.family.depth'"),
    "another family by the back door": ("lstm", put("rnn", "options", "name"), "unknown key 'options.name'"),
    "another training": ("lstm", put("pretraining", "training", "name"), "unknown key 'training.name'"),
    "a training option of version 2": ("lstm", put(3, "training", "max_epochs"), "unknown key 'training.max_epochs'"),
    "a head of another name": ("lstm", put("regression", "head", "name"), "unknown key 'head.name'"),
    "an unknown family": ("lstm", put("lsmt", "family"), "did you mean 'lstm'"),
    "an unknown key of an encoder": ("frozen", put(1, "encoder", "soul"), "unknown key 'encoder.soul'"),
    "an unknown option of an encoder": ("frozen", put(1, "encoder", "options", "depth"), "unknown key 'encoder.depth'"),
    "an unknown mode": ("frozen", put("thawed", "encoder", "mode"), "'encoder.mode' must be one of"),
    "a mode that is a list": ("frozen", put([], "encoder", "mode"), "'encoder.mode' must be one of"),
    "an encoder that is a number": ("lstm", put(7, "encoder"), "'encoder' must be an object"),
    "an encoder without sizes": ("frozen", put([], "encoder", "options"), "'encoder.options' must be an object"),
    "a seed that is text": ("lstm", put("1", "seed"), "'seed' must be a whole number"),
    "options that are a list": ("lstm", put([], "options"), "'options' must be an object"),
    "an option that is a list": ("lstm", put([4], "options", "width"), "'options.width' must be"),
    "a width that is text": ("lstm", put("4", "options", "width"), "'fit.family.width' must be a whole number"),
    "epochs that are a share": ("lstm", put(0.5, "training", "most_epochs"), "'fit.training.max_epochs' must be"),
    "labels that are text": ("lstm", put("ab", "head", "labels"), "'fit.head.labels' must be a list"),
    "a head that is a list": ("lstm", put([], "head"), "'head' must be an object"),
    "words that are a list": ("lstm", put([], "words"), "'words' must be a whole number"),
    "a family that is a list": ("lstm", put(["lstm"], "family"), "'family' must be text"),
    "no training": ("lstm", without("training"), "missing 'training'"),
    "no labels": ("lstm", without("head", "labels"), "missing 'fit.head.labels'"),
    "another task": ("lstm", put("translate", "task"), "'task' must be one of"),
    "weights of another width": ("lstm", put(8, "options", "width"), "weights.safetensors does not fit config.json"),
    "a trained network called frozen": ("lstm", put("frozen", "encoder", "mode"), "does not fit config.json"),
    "an unknown key of a translator": ("translation-lstm", put(1, "soul"), "unknown key 'soul'"),
    "a translator's key of version 2": ("translation-lstm", put(270, "subwords"), "unknown key 'subwords'"),
    "pieces that are text": ("translation-lstm", put("many", "pieces"), "'pieces' must be a whole number"),
    "a translator of another task": ("translation-lstm", put("classify", "task"), "'task' must be one of"),
    "a translator's option of version 2": (
        "translation-lstm", put(4, "options", "hidden_size"), "unknown key 'options.hidden_size'"
    ),
    "a translator's width that is text": (
        "translation-lstm", put("8", "options", "width"), "'fit.family.width' must be a whole number"
    ),
    "an unknown family of translators": ("translation-lstm", put("lsmt", "family"), "did you mean 'lstm translation'"),
    "fewer pieces than there are": ("translation-lstm", put(200, "pieces"), "does not fit config.json"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_configuration_that_is_not_of_version_1_is_refused_in_a_sentence(case, tmp_path):
    name, change, sentence = REFUSED[case]
    place = forge(name, tmp_path / "model", change)
    with pytest.raises(StorageError) as refusal:
        scansion.load(place)
    message = str(refusal.value)
    assert sentence in message
    assert str(place) in message
    assert "config.json" in message
    assert message.isprintable()
    assert message.endswith((".", "?"))
    assert len(message) < 600


@pytest.mark.parametrize("name", ["lstm", "translation-lstm"])
@pytest.mark.parametrize("config", [None, [], "lstm", 7, True])
def test_a_configuration_that_is_no_object_is_refused(name, config, tmp_path):
    place = forge(name, tmp_path / "model", lambda held: config)
    with pytest.raises(UnsafeFolderError, match=r"config\.json(: the file must be an object| does not begin like)"):
        scansion.load(place)


def test_the_forger_can_make_an_honest_folder(tmp_path):
    for name in CHECKS:
        CHECKS[name](scansion.load(forge(name, tmp_path / name, lambda config: config)), stored(name))
