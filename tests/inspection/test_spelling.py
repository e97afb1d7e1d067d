"""Explanations of texts in another spelling point at the characters that the user wrote."""

import numpy as np
import pytest

from scansion import DOCUMENT_FAMILIES, DocumentClassifier, Training
from small_families import small

WORDS = ["café", "❤", "wonderful", "ดี", "漢", "plain"]
TEXTS = [f"{word} {'good' if i % 2 else 'bad'} text" for i, word in enumerate(WORDS * 6)]
LABELS = ["up" if "good" in text else "down" for text in TEXTS]
QUICK = Training(min_epochs=5, max_epochs=5, min_batch_tokens=64, max_batch_tokens=64)
WRITTEN = {
    "cafe\u0301 good": ["cafe\u0301", "good"],
    "❤\ufe0fgood": ["❤\ufe0f", "good"],
    "won\u00adder\u00adful\u00ad good": ["won\u00adder\u00adful", "good"],
    "\ufeffgood": ["good"],
    "ภาษาดีgood": ["ภา", "ษา", "ดี", "good"],
    "İ good": ["İ", "good"],
    "1\ufe0f\u20e3good": ["1\ufe0f", "\u20e3", "good"],
}


@pytest.fixture(scope="module", params=["bag-of-words", "n-grams", "lstm"])
def model(request):
    family = small(DOCUMENT_FAMILIES[request.param])
    return DocumentClassifier(family, training=QUICK, processes=1, random_state=0).fit(TEXTS, LABELS)


@pytest.mark.parametrize("text", WRITTEN, ids=ascii)
def test_tokens_are_what_was_written_and_where(model, text):
    found = model.explain(text)
    assert found.tokens == WRITTEN[text]
    assert [text[start:end] for start, end in found.offsets] == WRITTEN[text]
    assert len(found.contributions) == len(found.tokens)
    assert model.look(text).words == tuple(WRITTEN[text])
    assert model.coverage([text])[0, 1] == len(found.tokens)


def test_a_word_counts_alike_however_it_is_spelled(model):
    composed, decomposed = (model.explain(f"caf{e} good") for e in ("é", "e\u0301"))
    np.testing.assert_array_equal(composed.contributions, decomposed.contributions)
    assert composed.removed == decomposed.removed


def test_the_fit_says_what_was_done_to_the_texts(model):
    notes = model.fit_report_.notes
    assert "6 of 36 texts hold Thai" in notes[1]
    assert "6 of 36 texts hold Chinese" in notes[0]
