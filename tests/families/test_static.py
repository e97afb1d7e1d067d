"""Static vectors: distilled as the formula says, kept, beside counts where they help, and asked without torch."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import scansion
from encoders import write_encoder
from scansion.errors import StorageError, UnsafeFolderError
from scansion.families.static import RARITY
from scansion.learning.events import finished
from scansion.learning.frozen_encoder import FrozenEncoder
from scansion.models.pretrained_encoder import read_pretrained
from scansion.models.static_vectors import static_table
from scansion.text.word_tokenizer import read_words

GOOD, BAD = [f"g{i}" for i in range(40)], [f"b{i}" for i in range(40)]
WORDS = [*GOOD, *BAD, "the", "film", "was"]
INF = float("inf")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCANSION_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> str:
    """An encoder that knows which words are alike: the first numbers of their embeddings say so."""
    folder = write_encoder(tmp_path_factory.mktemp("encoder") / "alike", WORDS, scale=0.5)
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    table = tensors["embeddings.word_embeddings.weight"]
    kinds = np.array([0] * 5 + [1] * len(GOOD) + [-1] * len(BAD) + [0] * 3)
    table[:, :4] += 3 * kinds[:, None]
    save_file(tensors, folder / "model.safetensors")
    return str(folder)


def rows(words: tuple[list[str], list[str]], count: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts of which only one word tells the label, drawn from the given ones."""
    random = np.random.default_rng(seed)
    labels = ["up" if i % 2 else "down" for i in range(count)]
    return [f"the film was {random.choice(words[label == 'up'])}" for label in labels], labels


TRAIN = rows((BAD[:20], GOOD[:20]), 60, 0)
UNSEEN = rows((BAD[20:], GOOD[20:]), 40, 1)


@pytest.fixture(scope="module")
def models(encoder):
    families = {
        "n-grams": scansion.NGrams(static=encoder, char_ngrams=False),
        "bag-of-words": scansion.BagOfWords(static=encoder), "static": scansion.Static(encoder),
    }
    return {name: scansion.DocumentClassifier(each, random_state=0).fit(*TRAIN) for name, each in families.items()}


def test_a_tokens_vector_is_the_mean_of_what_the_encoder_makes_of_it_alone_on_principal_directions(encoder):
    table = finished(static_table)(encoder, INF).table
    documents = read_pretrained(scansion.Pretrained(encoder), [])
    network, (first, last) = documents.encoder().network, documents.tokenizer.special_tokens
    alone = torch.tensor([[first, token, last] for token in range(documents.words)])
    with torch.inference_mode():
        means = network(alone, torch.ones_like(alone, dtype=torch.bool)).mean(dim=1).numpy()
    centred, found = means - means.mean(axis=0), table.vectors(np.arange(documents.words))
    # of as many dimensions as the encoder has, the directions are a rotation: products stay as they are
    np.testing.assert_allclose(found @ found.T, centred @ centred.T, atol=0.02 * np.abs(centred @ centred.T).max())
    spread = found.var(axis=0)
    assert (spread[:-1] >= spread[1:] - 1e-3).all()


def test_a_document_is_the_mean_of_its_words_weighted_by_rarity_and_of_length_one(models):
    vectors = models["static"].fitted_.model.vectors
    number = {word: vectors.table.tokenizer.encode([word]).ids[0] for word in WORDS}
    shares = {word: sum(text.split().count(word) for text in TRAIN[0]) / (4 * len(TRAIN[0])) for word in WORDS}
    words = ["the", "g3", "g3", "film", "b39"]
    weighted = [RARITY / (RARITY + shares[word]) * vectors.table.vectors(np.array([number[word]]))[0] for word in words]
    total = np.sum(weighted, axis=0)
    found = models["static"].transform(["The g3 g3 film zzz b39"]).toarray()[0]
    np.testing.assert_allclose(found, total / np.linalg.norm(total), atol=1e-5)


def test_words_that_training_never_saw_are_told_by_those_that_are_like_them(models):
    assert models["static"].score(*UNSEEN) > 0.9
    assert models["n-grams"].score(*UNSEEN) > 0.9
    plain = scansion.DocumentClassifier(scansion.NGrams(static="none", char_ngrams=False), random_state=0).fit(*TRAIN)
    assert plain.score(*UNSEEN) < 0.7
    assert "beside the counts: a held-out loss of" in models["n-grams"].fit_report_.notes[0]


def test_static_vectors_that_do_not_help_are_left_out_and_the_model_is_the_plain_one(encoder):
    random = np.random.default_rng(0)
    texts = [f"{'yes' if i % 2 else 'no'} {random.choice(GOOD)} {random.choice(GOOD)}" for i in range(80)]
    labels = ["up" if (i % 2) != (i % 7 == 0) else "down" for i in range(80)]  # some wrong, whatever words stand there
    found, plain = (
        scansion.DocumentClassifier(scansion.NGrams(static=each), random_state=0).fit(texts, labels)
        for each in (encoder, "none")
    )
    assert "static vectors of alike left out: a held-out loss of" in found.fit_report_.notes[0]
    assert np.array_equal(found.decision_function(texts), plain.decision_function(texts))


@pytest.mark.parametrize("name", ["n-grams", "bag-of-words", "static"])
def test_what_tokens_add_makes_up_the_score_exactly(models, name):
    for text in ("the film was g30", "", "zzz", "g1 b2 b39 , the the"):
        found = models[name].explain(text, "up")
        score = float(models[name].decision_function([text])[0, 0])
        assert found.base + found.contributions.sum() == pytest.approx(score, abs=1e-5)
        assert len(found.contributions) == len(found.tokens)


@pytest.mark.parametrize("name", ["n-grams", "bag-of-words", "static"])
def test_a_saved_model_answers_the_same_elsewhere_without_the_encoder_and_without_torch(models, name, tmp_path):
    models[name].save(tmp_path / "model")
    text, unseen = UNSEEN[0][0], UNSEEN[0][1]
    program = f"""
import sys, scansion
model = scansion.load({str(tmp_path / "model")!r})
print(model.decision_function([{text!r}, {unseen!r}]).tolist())
assert model.coverage([{text!r}]).tolist() == [[4, 4]]
assert model.explain({text!r}).tokens and "torch" not in sys.modules
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "SCANSION_CACHE": str(tmp_path / "none")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(models[name].decision_function([text, unseen]).tolist())


def test_coverage_counts_words_that_either_knows(models):
    assert models["n-grams"].coverage(["the g1 g39 zzz"]).tolist() == [[3, 4]]
    assert models["static"].coverage(["the g1 g39 zzz"]).tolist() == [[3, 4]]


def test_a_table_is_made_once_and_then_comes_from_the_cache(encoder, monkeypatch):
    first = finished(static_table)(encoder, INF).table

    def refuse(*_):
        raise AssertionError("read again")

    monkeypatch.setattr(FrozenEncoder, "fresh_vectors", refuse)
    again = finished(static_table)(encoder, INF).table
    assert np.array_equal(again.rows, first.rows)


def test_an_encoder_that_was_changed_has_another_table(encoder, tmp_path):
    other = write_encoder(tmp_path / "other", WORDS, seed=5)
    before = finished(static_table)(str(other), INF).table
    write_encoder(other, WORDS, seed=6)
    assert not np.array_equal(finished(static_table)(str(other), INF).table.rows, before.rows)


def test_without_weights_at_hand_counts_stand_alone_and_the_family_says_what_is_missing():
    assert finished(static_table)("auto", INF).table is None
    model = scansion.DocumentClassifier("n-grams", random_state=0).fit(*TRAIN)
    assert not any("static" in note for note in model.fit_report_.notes)
    with pytest.raises(StorageError, match="are not installed"):
        scansion.DocumentClassifier("static").fit(*TRAIN)
    with pytest.raises(StorageError, match=r"There is no folder \./nowhere"):
        scansion.DocumentClassifier(scansion.NGrams(static="./nowhere")).fit(*TRAIN)


def test_numbers_and_sets_of_labels_are_answered_beside_static_vectors_too(encoder, tmp_path):
    sets = [(label, "long") if i % 3 else (label,) for i, label in enumerate(TRAIN[1])]
    several = scansion.DocumentClassifier(scansion.NGrams(static=encoder), random_state=0).fit(TRAIN[0], sets)
    assert several.predict(TRAIN[0][:2]).shape == (2, 3)
    numbers = [float(label == "up") for label in TRAIN[1]]
    model = scansion.DocumentRegressor(scansion.NGrams(static=encoder), random_state=0).fit(TRAIN[0], numbers)
    assert model.score(UNSEEN[0], [float(label == "up") for label in UNSEEN[1]]) > 0.5


def test_a_folder_stores_the_name_of_the_encoder_and_not_its_place(models, encoder, tmp_path):
    models["n-grams"].save(tmp_path / "model")
    assert encoder not in (tmp_path / "model" / "config.json").read_text()
    assert scansion.load(tmp_path / "model").fitted_.family.static == "alike"


def test_a_table_that_does_not_fit_its_tokenizer_is_refused(models, tmp_path):
    vectors = models["n-grams"].fitted_.model.vectors
    table = vectors.static.table
    vectors.static.table = replace(table, rows=table.rows[:-3])
    try:
        models["n-grams"].save(tmp_path / "model")
    finally:
        vectors.static.table = table
    with pytest.raises(UnsafeFolderError, match="does not fit"):
        scansion.load(tmp_path / "model")


def test_the_words_of_a_document_are_cut_each_once(models):
    corpus = read_words(["g1 g1 g1 the", "the g1"])
    assert models["static"].fitted_.model.vectors.table.cut(corpus.types).shape[0] == 2
