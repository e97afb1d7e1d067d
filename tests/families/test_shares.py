"""Whose contribution is whose: what dimensions add to a score goes to tokens with nothing left over."""

import numpy as np
import pytest

from scansion import DocumentClassifier, NGrams
from scansion.text.word_tokenizer import read_words

TEXTS = ["a quiet quiet marvel of wit", "dull from end to end", "warm and funny funny", "a waste of two hours"] * 6
LABELS = ["good", "bad", "good", "bad"] * 6
NEW = ["a quiet marvel and a dull end of two hours zzz", "", "quiet quiet quiet", "funnily enough, a waster"]


@pytest.mark.parametrize("family", ["bag-of-words", "n-grams", NGrams(pieces=False), NGrams(longest=1), "baseline"])
@pytest.mark.parametrize("text", NEW)
def test_the_shares_of_every_dimension_that_was_seen_sum_to_one(family, text):
    model = DocumentClassifier(family, random_state=0).fit(TEXTS, LABELS).model_.family
    corpus = read_words([text])
    shares, vector = model.shares(corpus), model.vectors(corpus)
    assert shares.shape == (vector.shape[1], len(corpus.ids))
    seen = np.asarray(shares.sum(axis=1)).ravel()
    assert np.allclose(seen[vector.indices], 1)
    assert np.allclose(np.delete(seen, vector.indices), 0)


def test_an_n_gram_belongs_to_its_words_alike_and_a_piece_to_the_word_it_is_cut_from():
    model = DocumentClassifier("n-grams", random_state=0).fit(TEXTS, LABELS).model_.family
    shares = model.shares(read_words(["a waste of two hours"])).toarray()
    words = len(model.words)
    pairs = shares[words : words + len(model.grams[0])]
    assert (np.sort(pairs[pairs.any(axis=1)], axis=1)[:, -2:] == 0.5).all()
    pieces = dict(zip(model.pieces, shares[-len(model.pieces) :], strict=True))
    assert pieces["<wa"].tolist() == [0, 1, 0, 0, 0]
