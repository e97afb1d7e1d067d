"""BLEU and chrF from counts, against sacreBLEU."""

import random

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.errors import UsageError
from scansion.measures.bleu import (
    DRAWS,
    bleu,
    bleu_counts,
    bleu_of,
    chrf,
    chrf_counts,
    chrf_of,
    paired_bootstrap,
)

WANTED = [
    "The cat sat on the mat, didn't it?",
    "A man in an orange hat stares at something.",
    "Zwei junge weiße Männer sind im Freien.",
    "It costs 3,000.50 dollars (or so).",
    "yes",
]
FOUND = [
    "The cat sat on a mat, didn't it?",
    "A man with an orange hat is staring at something.",
    "Zwei Männer sind draußen im Freien.",
    "It costs 3,000.50 dollars, or so.",
    "no",
]
words = st.lists(st.sampled_from(["a", "b", "c,", "d.", "Haus", "(e)"]), max_size=9).map(" ".join)


@pytest.mark.parametrize("tokenize", ["13a", "none", "intl", "char"])
def test_bleu_is_sacrebleus(tokenize):
    mine = bleu_of(bleu_counts(FOUND, WANTED, tokenize).sum(axis=0))
    theirs = sacrebleu.corpus_bleu(FOUND, [WANTED], tokenize=tokenize, force=True)
    assert mine == pytest.approx(theirs.score, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(words, words), min_size=1, max_size=5))
def test_both_are_sacrebleus_on_whatever_there_is(pairs):
    found, wanted = map(list, zip(*pairs, strict=True))
    theirs = sacrebleu.corpus_bleu(found, [wanted], force=True).score
    assert float(bleu_of(bleu_counts(found, wanted).sum(axis=0))) == pytest.approx(theirs, abs=1e-9)
    theirs = sacrebleu.corpus_chrf(found, [wanted]).score
    assert float(chrf_of(chrf_counts(found, wanted).sum(axis=0))) == pytest.approx(theirs, abs=1e-9)


def test_a_score_has_its_signature_and_an_interval_around_it():
    for scored, signature in ((bleu(FOUND, WANTED), "tok:13a"), (chrf(FOUND, WANTED), "nc:6")):
        assert scored.low <= scored.score <= scored.high
        assert signature in scored.signature
        assert "nrefs:1" in scored.signature


def test_the_interval_is_that_of_sacrebleus_bootstrap():
    draw = random.Random(0)
    wanted = [" ".join(draw.choices("abcdefgh", k=12)) for _ in range(300)]
    found = [" ".join(word if draw.random() < 0.8 else "x" for word in text.split()) for text in wanted]
    mine = bleu(found, wanted)
    theirs = sacrebleu.BLEU().corpus_score(found, [wanted], n_bootstrap=DRAWS)
    assert mine.score == pytest.approx(theirs.score)
    assert (mine.high - mine.low) / 2 == pytest.approx(theirs._ci, rel=0.15)


def test_a_better_system_is_told_from_a_worse_one_and_equals_are_not():
    draw = random.Random(1)
    wanted = [" ".join(draw.choices("abcdefgh", k=12)) for _ in range(200)]

    def noisy(share):
        return bleu_counts([" ".join(w if draw.random() < share else "x" for w in t.split()) for t in wanted], wanted)

    better, worse, alike = noisy(0.9), noisy(0.7), noisy(0.9)
    clear = paired_bootstrap([better], [worse], bleu_of)
    assert clear.low > 0
    assert clear.p_value < 0.01
    none = paired_bootstrap([better], [alike], bleu_of)
    assert none.low < 0 < none.high
    assert none.p_value > 0.05
    assert paired_bootstrap([better], [better], bleu_of).p_value == 1


def test_rows_must_match():
    with pytest.raises(UsageError, match="1 translations and 2 references"):
        bleu(["a"], ["a", "b"])
