"""Whose contribution is whose: what dimensions add to a score goes to tokens with nothing left over."""

import numpy as np
import pytest

from scansion import DOCUMENT_FAMILIES, DocumentClassifier, NGrams
from scansion.text.word_tokenizer import read_words

TEXTS = ["a quiet quiet marvel of wit", "dull from end to end", "warm and funny funny", "a waste of two hours"] * 6
LABELS = ["good", "bad", "good", "bad"] * 6
NEW = ["a quiet marvel and a dull end of two hours zzz", "", "quiet quiet quiet", "funnily enough, a waster"]


COUNTED = [name for name, kind in DOCUMENT_FAMILIES.items() if kind.reads == "words" and kind.learner == "convex"]


@pytest.mark.parametrize("family", [*COUNTED, NGrams(char_ngrams=False), NGrams(order=1)])
@pytest.mark.parametrize("text", NEW)
def test_the_shares_of_every_dimension_that_was_seen_sum_to_one(family, text):
    vectors = DocumentClassifier(family, random_state=0).fit(TEXTS, LABELS).fitted_.model.vectors
    corpus = read_words([text])
    shares, found = vectors.shares(corpus), vectors.vectors(corpus)
    assert shares.shape == (found.shape[1], len(corpus.ids))
    seen = np.asarray(shares.sum(axis=1)).ravel()
    assert np.allclose(seen[found.indices], 1)
    assert np.allclose(np.delete(seen, found.indices), 0)


def test_an_n_gram_belongs_to_its_words_alike_and_a_character_n_gram_to_the_word_it_is_cut_from():
    vectors = DocumentClassifier("n-grams", random_state=0).fit(TEXTS, LABELS).fitted_.model.vectors
    shares = vectors.shares(read_words(["a waste of two hours"])).toarray()
    words = len(vectors.words)
    pairs = shares[words : words + len(vectors.grams[0])]
    assert (np.sort(pairs[pairs.any(axis=1)], axis=1)[:, -2:] == 0.5).all()
    char_ngrams = dict(zip(vectors.char_ngrams, shares[-len(vectors.char_ngrams) :], strict=True))
    assert char_ngrams["<wa"].tolist() == [0, 1, 0, 0, 0]
