"""Explanations: contributions add up, point at what matters, and name places in the text as it is."""

import numpy as np
import pytest

from encoders import write_encoder
from scansion import DOCUMENT_FAMILIES, DocumentClassifier, DocumentRegressor, Pretrained, Training
from scansion.errors import NotFittedError, UsageError
from small_families import small

WORDS = [f"w{i}" for i in range(12)]
DRAWN = np.random.default_rng(0).choice(WORDS, (120, 3))
TEXTS = [f"{first} {second} {'good' if i % 2 else 'bad'} {third}" for i, (first, second, third) in enumerate(DRAWN)]
LABELS = ["up" if i % 2 else "down" for i in range(120)]
QUICK = Training(min_epochs=15, max_epochs=15, min_batch_tokens=64, max_batch_tokens=64, label_smoothing=0.0)
PLAIN = {"dropout": 0.0, "embedding_dropout": 0.0, "word_dropout": 0.1, "max_length": 16, "learning_rate": 0.01}
OF_WORDS = {
    name: small(kind, **PLAIN)
    for name, kind in DOCUMENT_FAMILIES.items() if kind.reads == "words" and name != "baseline"
}
COUNTED = [name for name, family in OF_WORDS.items() if family.learner == "convex"]
LEARNED = [name for name, family in OF_WORDS.items() if family.learner == "gradient"]
PRETRAINED = ["frozen", "fine-tuned"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = write_encoder(tmp_path_factory.mktemp("encoder") / "tiny", [*WORDS, "good", "bad"])
    families = OF_WORDS | {
        mode: Pretrained(str(folder), mode, dropout=0.0, learning_rate=0.01, encoder_lr_scale=1.0)
        for mode in PRETRAINED
    }
    return {
        name: DocumentClassifier(family, training=QUICK, processes=1, random_state=0).fit(TEXTS, LABELS)
        for name, family in families.items()
    }


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("text", ["w1 good w3 good", "", "zyzzyva", "goodness w1"])
def test_contributions_of_counted_families_add_up_exactly(models, name, text):
    found = models[name].explain(text, "up")
    assert found.base + found.contributions.sum() == pytest.approx(found.score, rel=1e-6, abs=1e-5)
    assert found.score == pytest.approx(float(models[name].decision_function([text])[0, 0]), rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("name", [*LEARNED, *PRETRAINED])
@pytest.mark.parametrize("text", ["w1 good w3", "w1 bad w2 w5 w9", "good good w2"])
def test_integrated_gradients_are_complete(models, name, text):
    found = models[name].explain(text)
    assert found.completeness_error < 0.01
    assert len(found.contributions) == len(found.tokens)


@pytest.mark.parametrize("name", OF_WORDS)
def test_the_word_that_decides_has_the_greatest_contribution(models, name):
    for text, answer, deciding in (("w1 w2 good w3", "up", 2), ("bad w4 w2", "down", 0)):
        found = models[name].explain(text)
        assert found.answer == answer
        assert int(found.contributions.argmax()) == deciding


@pytest.mark.parametrize("name", OF_WORDS)
def test_without_the_tokens_that_add_most_the_answer_falls_further_than_without_others(models, name):
    found = models[name].explain("w1 w2 w3 good w4 w5 w6 w7 w8 w9 w10 w11")
    assert found.removed > np.mean(found.removed_at_random)


def test_the_other_answer_has_the_opposite_contributions(models):
    up, down = (models["lstm"].explain("w1 good w3", answer) for answer in ("up", "down"))
    assert np.allclose(up.contributions, -down.contributions, atol=1e-5)
    assert up.probability + down.probability == pytest.approx(1)


@pytest.mark.parametrize("name", ["n-grams", "transformer", "fine-tuned"])
def test_offsets_name_places_in_the_text_as_it_is(models, name):
    text = "  W1, İstanbul GOOD\tw3 "
    found = models[name].explain(text)
    assert found.tokens == [text[start:end] for start, end in found.offsets]
    assert "GOOD" in found.tokens


@pytest.mark.parametrize("name", ["transformer", "fine-tuned", "frozen"])
def test_a_text_longer_than_is_read_at_a_time_is_explained_as_a_whole(models, name):
    text = " ".join(WORDS * 8) + " good"
    found = models[name].explain(text)
    assert len(found.tokens) == 97
    assert found.score == pytest.approx(abs(float(models[name].decision_function([text])[0, 0])), abs=1e-3)
    assert found.completeness_error < 0.02


def test_numbers_and_sets_of_labels_are_explained_too():
    numbers = [1.0 if label == "up" else -1.0 for label in LABELS]
    found = DocumentRegressor("bag-of-words").fit(TEXTS, numbers).explain("w1 good")
    assert found.answer == "number"
    assert found.probability is None
    assert int(found.contributions.argmax()) == 1
    sets = [(label, "even" if i % 4 < 2 else "odd") for i, label in enumerate(LABELS)]
    found = DocumentClassifier("n-grams").fit(TEXTS, sets).explain("w1 good", "up")
    assert found.answer == "up"
    assert found.base + found.contributions.sum() == pytest.approx(found.score, rel=1e-6, abs=1e-5)


def test_what_cannot_be_explained_is_refused_with_a_sentence(models):
    with pytest.raises(UsageError, match="no label 'upp'; did you mean 'up'"):
        models["lstm"].explain("good", "upp")
    with pytest.raises(NotFittedError):
        DocumentClassifier().explain("good")
